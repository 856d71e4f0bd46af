package page

import "craftista/frontend/internal/view"

// frameAssets are the URLs of the files that every page loads.
func (s *site) frameAssets() view.Assets {
	assets := view.Assets{
		Style: s.assets.URL("css/site.css"), Icon: s.assets.URL("icon.svg"),
		Touch: s.assets.URL("icon-180.png"), Manifest: s.assets.URL("app.webmanifest"),
		Htmx: s.assets.URL("vendor/htmx.min.js"), Live: s.assets.URL("vendor/hx-sse.min.js"),
		Site: s.assets.URL("js/site.js"), Password: s.assets.URL("js/password.js"),
	}
	if s.settings.DevReload {
		assets.Reload = s.assets.URL("js/reload.js")
	}
	return assets
}
