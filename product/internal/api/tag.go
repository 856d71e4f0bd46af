package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"craftista/product/internal/core"
)

// form marks how this release encodes a product: change it with the fields, so
// that no ETag stands for two bodies.
const form = "a"

// tag is the strong ETag of one product. The edits and the votes, which only
// ever change its body by changing one of the two counts, make it.
func tag(p core.Product) string { return fmt.Sprintf(`"%d-%d-%s"`, p.Version, p.Votes, form) }

// ifMatch reads If-Match into the versions that a change is meant for, nil being
// any, and whether the header was there.
//
// Of a tag only the version is compared. If-Match is there to prevent lost
// updates (RFC 9110 section 13.1.1): an edit must not undo another edit that its
// author never saw. A vote is no edit and an edit undoes none, so a product that
// people vote for all day must not refuse its curator all day. As the section
// asks, weak tags never match.
func ifMatch(r *http.Request) (versions []int64, given bool) {
	header := strings.TrimSpace(strings.Join(r.Header.Values("If-Match"), ","))
	if header == "*" || header == "" {
		return nil, header == "*"
	}
	versions = []int64{} // which no product has, should none of the tags be ours
	for candidate := range strings.SplitSeq(header, ",") {
		if v, ok := versionOf(strings.TrimSpace(candidate)); ok {
			versions = append(versions, v)
		}
	}
	return versions, true
}

// versionOf is the version in a tag of ours, in whatever form its body was.
func versionOf(tag string) (int64, bool) {
	version, rest, _ := strings.Cut(strings.TrimPrefix(tag, `"`), "-")
	votes, mark, _ := strings.Cut(rest, "-")
	v, err := strconv.ParseInt(version, 10, 64)
	_, errVotes := strconv.ParseInt(votes, 10, 64)
	ours := strings.HasPrefix(tag, `"`) && strings.HasSuffix(mark, `"`)
	return v, ours && err == nil && errVotes == nil
}
