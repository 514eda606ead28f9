package registry

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestEachFaultHasItsKindAndSaysWhatHappened(t *testing.T) {
	html := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			_, _ = w.Write([]byte("<html>login please</html>"))
		}
	}
	cases := []struct {
		name   string
		answer http.HandlerFunc
		kind   Kind
		words  string
	}{
		{"unknown id", reply(404, `{"error_code":40403,"message":"Schema 17 not found"}`), NotFound, "404: Schema 17 not found (error code 40403)"},
		{"404 of a path that the registry does not have", reply(404, `{"error_code":404,"message":"HTTP 404 Not Found"}`), Unavailable, "404: HTTP 404 Not Found: that is no answer of a schema registry about an id"},
		{"404 of a gateway", reply(404, `{"message":"no Route matched with those values"}`), Unavailable, "404: no Route matched with those values: that is no answer of a schema registry about an id"},
		{"401", reply(401, `{"error_code":40101,"message":"Unauthorized"}`), Unauthorized, "401: Unauthorized (error code 40101)"},
		{"401 of a proxy", html(401), Unauthorized, "401 Unauthorized with an answer that is not a schema registry's (text/html)"},
		{"401 without a body", reply(401, ``), Unauthorized, "401"},
		{"403", reply(403, `{"error_code":40301,"message":"no"}`), Unauthorized, "403: no"},
		{"408", reply(408, `{"error_code":408,"message":"late"}`), Unavailable, "408: late"},
		{"422", reply(422, `{"error_code":42201,"message":"bad"}`), Unavailable, "422: bad"},
		{"429", reply(429, `{"error_code":42900,"message":"slow"}`), Unavailable, "429: slow"},
		{"500", reply(500, `{"error_code":50001,"message":"store"}`), Unavailable, "500: store"},
		{"502 of a proxy", html(502), Unavailable, "502 Bad Gateway"},
		{"503 without a body", reply(503, ``), Unavailable, "503"},
		{"404 of another server", html(404), Unavailable, "is the URL right?"},
		{"HTML with 200", html(200), Unavailable, "not JSON, or cut off (text/html)"},
		{"nothing with 200", reply(200, ``), Unavailable, "not JSON, or cut off"},
		{"cut off", reply(200, `{"schema":"\"lo`), Unavailable, "not JSON, or cut off"},
		{"cut off on the wire", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write([]byte(longSchema))
		}, Unavailable, "reading the answer: unexpected EOF"},
		{"connection dropped", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Unavailable, "EOF"},
		{"no schema in it", reply(200, `{}`), Unavailable, "holds no schema: is the URL right?"},
		{"an error of a gateway with 200", reply(200, `{"error":"log in first"}`), Unavailable, "holds no schema: is the URL right?"},
		{"of another form", reply(200, `{"schema":{"type":"long"}}`), Unavailable, "JSON of another form"},
		{"a list", reply(200, `[1]`), Unavailable, "JSON of another form"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			block := []byte(strings.Repeat(" ", 1<<16))
			for range maxAnswer/len(block) + 1 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, Invalid, "longer than 16 MiB"},
		{"deep", reply(200, strings.Repeat(`[`, 1<<20)), Unavailable, "depth"},
		{"control characters", reply(400, `{"error_code":400,"message":"a\u001b[31m\nb"}`), Unavailable, "400: a [31m b"},
		{"redirects without end", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, Unavailable, "redirects"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			noGoroutineStays(t)
			s := newServer(t)
			s.on(path(17), c.answer)
			_, err := openRegistry(t, s.URL, "max.retries", "1").SchemaByID(background, 17)
			wantKind(t, err, c.kind, "schema registry "+s.URL+": schema 17: ", c.words)
			if strings.Contains(err.Error(), "Get \"") || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("not a plain sentence: %v", err)
			}
		})
	}
}

func TestDeadRegistryIsUnavailable(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	s.Close()
	_, err := openRegistry(t, s.URL).SchemaByID(background, 17)
	wantKind(t, err, Unavailable, "schema 17", "connection refused")
}

func TestSlowRegistryIsGivenUpAfterTheTimeout(t *testing.T) {
	noGoroutineStays(t)
	for _, slow := range []string{"before the head", "within the body"} {
		t.Run(slow, func(t *testing.T) {
			s := newServer(t)
			s.on(path(17), func(w http.ResponseWriter, r *http.Request) {
				if slow == "within the body" {
					_, _ = fmt.Fprint(w, `{"schema":`)
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			})
			begun := time.Now()
			_, err := openRegistry(t, s.URL, "request.timeout.ms", "50").SchemaByID(background, 17)
			wantKind(t, err, Unavailable, "no answer within 50ms")
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestRedirectFromTLSToPlainTextIsRefused(t *testing.T) {
	plain := newServer(t)
	plain.on(path(1), reply(200, longSchema))
	secure := newTLSServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusFound)
	})
	_, err := openRegistry(t, secure.URL, "ssl.ca.location", secure.ca).SchemaByID(background, 1)
	wantKind(t, err, Unavailable, "https to http")
	if plain.count(path(1)) != 0 {
		t.Error("followed")
	}
}

func TestARedirectToAnotherPortOfTheHostTakesNoLoginAlong(t *testing.T) {
	other := newServer(t)
	var login atomic.Value
	other.on(path(1), func(w http.ResponseWriter, r *http.Request) {
		login.Store(r.Header.Get("Authorization"))
		reply(200, longSchema)(w, r)
	})
	first := newServer(t)
	first.on(path(1), func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	if _, err := openRegistry(t, first.URL, "basic.auth.credentials.source", "USER_INFO", "basic.auth.user.info", "anna:geheim").SchemaByID(background, 1); err != nil {
		t.Fatal(err)
	}
	if got := login.Load(); got != "" {
		t.Errorf("the other server got %q", got)
	}
}
