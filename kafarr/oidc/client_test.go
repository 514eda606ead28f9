package oidc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/pykafarr/pykafarr/kafarr/oidc"
)

func TestATokenEndpointThatRedirectsGetsNoSecretElsewhere(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		endpoint := httptest.NewServer(http.RedirectHandler(other.URL+"/token", status))
		grant := clientcredentials.Config{ClientID: "anna", ClientSecret: "geheim", TokenURL: endpoint.URL, AuthStyle: oauth2.AuthStyleInParams}
		client := oidc.Client(http.DefaultTransport, 10*time.Second)
		_, err := grant.Token(context.WithValue(context.Background(), oauth2.HTTPClient, client))
		endpoint.Close()
		if err == nil || !strings.Contains(err.Error(), "redirects to "+other.URL+", where the client secret is not sent") {
			t.Errorf("%d: %v", status, err)
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("the other host was asked %d times", n)
	}
}
