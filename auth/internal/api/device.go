package api

import (
	"net/http"
	"strings"
)

// maxAgent is how much of a User-Agent is looked at, in bytes.
const maxAgent = 512

// device is what the person will know this sign-in by: the browser and the
// system, without versions, which would say more than is needed. The browser's
// own words are in the X-Client-Agent of whoever holds the key, as for client.
func device(key string, r *http.Request) string {
	agent := r.UserAgent()
	if holds(key, r) && r.Header.Get("X-Client-Agent") != "" {
		agent = r.Header.Get("X-Client-Agent")
	}
	return describeAgent(agent[:min(len(agent), maxAgent)])
}

// describeAgent finds a browser and a system in a User-Agent, which names
// everything it claims to be like: what others claim too comes last. A program
// that is no browser is known by its first word, such as curl.
func describeAgent(agent string) string {
	browser := first(agent, []known{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"},
		{"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"},
	})
	system := first(agent, []known{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"}, {"Linux", "Linux"},
	})
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "" || system != "":
		return browser + system
	default:
		return program(agent)
	}
}

// known is a mark in a User-Agent and the name of what has it.
type known struct{ mark, name string }

// first is the name of the first whose mark is in agent.
func first(agent string, all []known) string {
	for _, k := range all {
		if strings.Contains(agent, k.mark) {
			return k.name
		}
	}
	return ""
}

// program is the first word of agent up to its version, if that is a plain word
// of up to 30 letters, digits and dashes; else "".
func program(agent string) string {
	word, _, _ := strings.Cut(agent, "/")
	plain := func(c rune) bool {
		return c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
	}
	if len(word) > 30 || strings.ContainsFunc(word, func(c rune) bool { return !plain(c) }) {
		return ""
	}
	return word
}
