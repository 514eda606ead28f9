package registry

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// address is where the registry is: one URL, or several of one registry in the order to try them.
type address struct {
	text string        // the URLs with commas between, without user and password: fit for messages
	user *url.Userinfo // from "http://user:password@host", nil without
}

// parseAddress checks what the caller gave as URL. The errors of net/url are not passed on where the text
// holds an '@': they quote the part that does not parse, which may be a password.
func parseAddress(given string) (address, *ConfigError) {
	var a address
	var clean []string
	for part := range strings.SplitSeq(given, ",") {
		part = strings.TrimSpace(part)
		u, err := url.Parse(part)
		shown := shownURL(part)
		switch {
		case part == "":
			return a, configErrorf("url", "the schema registry's URL is empty, such as http://localhost:8081 is expected")
		case !strings.Contains(part, "://"):
			return a, configErrorf("url", "%q does not begin with http:// or https://. Did you mean %s?", shown, withScheme(shown))
		case err != nil:
			var parse *url.Error
			if strings.Contains(part, "@") || !errors.As(err, &parse) {
				return a, configErrorf("url", "%q is not a URL: is a character of the user or the password not written as %%XX?", shown)
			}
			return a, configErrorf("url", "%q is not a URL: %v", shown, parse.Err)
		case u.Scheme != "http" && u.Scheme != "https":
			return a, configErrorf("url", "%q does not begin with http:// or https://", shown)
		case u.Hostname() == "":
			return a, configErrorf("url", "%q names no host", shown)
		case u.RawQuery != "" || u.Fragment != "":
			return a, configErrorf("url", "%q has a query or a fragment, which requests cannot carry", shown)
		}
		if u.User != nil {
			if a.user != nil && *a.user != *u.User {
				return a, configErrorf("url", "the URLs hold different users or passwords; one login is used for all of them")
			}
			a.user = u.User
			u.User = nil
		}
		clean = append(clean, strings.TrimRight(u.String(), "/"))
	}
	a.text = strings.Join(clean, ",")
	return a, nil
}

var halfScheme = regexp.MustCompile(`^(https?):?/+`)

// withScheme makes a URL of a text without "://".
func withScheme(text string) string {
	if found := halfScheme.FindStringSubmatch(text); found != nil {
		return found[1] + "://" + text[len(found[0]):]
	}
	return "http://" + text
}

// shownURL cuts what may be user and password out of a text that may not even be a URL.
func shownURL(text string) string {
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return text
	}
	scheme := ""
	if i := strings.Index(text, "://"); i >= 0 && i < at {
		scheme = text[:i+3]
	}
	return scheme + "***@" + text[at+1:]
}
