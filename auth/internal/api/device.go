package api

import (
	"net/http"
	"strings"
)

// maxAgent is how much of a User-Agent is read, in bytes.
const maxAgent = 512

// device is how the person recognises this sign-in: the browser and the system,
// without versions, which would say more than is needed. The frontend sends the
// browser's User-Agent as X-Client-Agent, with the key as for network. Many agents
// name other browsers besides their own, so that the marks that others use too come
// last. A program that is no browser is called by its first word, such as curl.
func device(key string, r *http.Request) string {
	agent := r.UserAgent()
	if hasKey(key, r) && r.Header.Get("X-Client-Agent") != "" {
		agent = r.Header.Get("X-Client-Agent")
	}
	agent = agent[:min(len(agent), maxAgent)]
	browser := first(agent, []known{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"},
		{"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"},
	})
	system := first(agent, []known{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"},
		{"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
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
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	word, _, _ := strings.Cut(agent, "/")
	if len(word) > 30 || strings.Trim(word, plain) != "" {
		return ""
	}
	return word
}
