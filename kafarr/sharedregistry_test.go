package kafarr

import (
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/registry"
)

func TestARegistryClientIsSharedByWhatAsksThroughTheSameProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://a:1")
	client := func(variables environ.Variables) registry.Registry {
		r, err := sharedRegistry("http://registry:8081", nil, variables)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first, ofTheProcess := client(environ.Variables{"HTTP_PROXY": "http://p:1"}), client(nil)
	if client(environ.Variables{"HTTP_PROXY": "http://p:1"}) != first {
		t.Error("the same variables have two clients")
	}
	if client(environ.Variables{"HTTP_PROXY": "http://p:2"}) == first || ofTheProcess == first {
		t.Error("the client of another proxy is shared")
	}
	t.Setenv("HTTP_PROXY", "http://b:1")
	if client(nil) == ofTheProcess {
		t.Error("the client of the proxy that the process had before is shared")
	}
}
