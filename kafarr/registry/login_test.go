package registry

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestRequestsCarryTheConfiguredLogin(t *testing.T) {
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	cases := []struct {
		name       string
		user       string // before the host in the URL
		properties []string
		want       string
	}{
		{"none", "", nil, ""},
		{"user info without a source", "", []string{"basic.auth.user.info", "anna:geheim"}, basic("anna", "geheim")},
		{"user info", "", []string{"basic.auth.user.info", "anna:g:h", "basic.auth.credentials.source", "user_info"}, basic("anna", "g:h")},
		{"in the URL", "anna:g%40h%2F@", nil, basic("anna", "g@h/")},
		{"in the URL, with its source", "anna:geheim@", []string{"basic.auth.credentials.source", "URL"}, basic("anna", "geheim")},
		{"sasl", "", []string{"basic.auth.credentials.source", "SASL_INHERIT", "sasl.mechanisms", "PLAIN", "sasl.username", "anna", "sasl.password", "geheim"}, basic("anna", "geheim")},
		{"token", "", []string{"bearer.auth.token", "geheim", "bearer.auth.logical.cluster", "lsrc-1", "bearer.auth.identity.pool.id", "pool-1"}, "Bearer geheim lsrc-1 pool-1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			var got string
			s.on(path(1), func(w http.ResponseWriter, r *http.Request) {
				got = strings.TrimSpace(strings.Join([]string{r.Header.Get("Authorization"),
					r.Header.Get("Target-Sr-Cluster"), r.Header.Get("Confluent-Identity-Pool-Id")}, " "))
				reply(200, longSchema)(w, r)
			})
			r := openRegistry(t, strings.Replace(s.URL, "://", "://"+c.user, 1), c.properties...)
			if _, err := r.SchemaByID(background, 1); err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSecretsAreNowhereToBeSeen(t *testing.T) {
	s := newServer(t)
	s.on(path(1), func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		reply(401, fmt.Sprintf(`{"error_code":401,"message":"wrong password %s, header %s"}`, password, r.Header.Get("Authorization")))(w, r)
	})
	r := openRegistry(t, strings.Replace(s.URL, "://", "://anna:geheim@", 1))
	_, err := r.SchemaByID(background, 1)
	wantKind(t, err, Unauthorized, "wrong password ***")
	var registry Registry = r
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, value := range []any{registry, err} {
			if shown := fmt.Sprintf(verb, value); strings.Contains(shown, "geheim") {
				t.Errorf("%s shows %s", verb, shown)
			}
		}
	}
}

func TestOAuthTokenIsFetchedOnceAndUsed(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	s.on("/token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		id, secret, _ := r.BasicAuth()
		if id != "me" || secret != "geheim" || r.Form.Get("scope") != "a b" {
			reply(401, `{"error":"invalid_client"}`)(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token":"T","token_type":"Bearer","expires_in":3600}`)
	})
	for id := range 3 {
		s.on(path(id), func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer T" {
				reply(401, `{"error_code":401,"message":"no"}`)(w, r)
				return
			}
			reply(200, longSchema)(w, r)
		})
	}
	oauth := []string{"bearer.auth.issuer.endpoint.url", s.URL + "/token", "bearer.auth.client.id", "me", "bearer.auth.scope", "a b"}
	r := openRegistry(t, s.URL, append(oauth, "bearer.auth.client.secret", "geheim")...)
	for id := range 3 {
		if _, err := r.SchemaByID(background, id); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.count("/token"); n != 1 {
		t.Errorf("%d tokens", n)
	}
	_, err := openRegistry(t, s.URL, append(oauth, "bearer.auth.client.secret", "falsch")...).SchemaByID(background, 1)
	wantKind(t, err, Unauthorized, "the token endpoint answered 401 invalid_client")
}
