package registry

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// apicurio answers as one of Apicurio's own APIs does.
func apicurio(code int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(strings.ToLower(r.URL.RawQuery), "dereference") {
			code = http.StatusBadRequest
		}
		w.Header().Set("Content-Type", "application/json")
		if kind != "" {
			w.Header().Set("X-Registry-ArtifactType", kind)
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func TestAGlobalIDIsAskedOfApicuriosOwnAPI(t *testing.T) {
	for _, path := range []string{"", "/apis/ccompat/v6", "/apis/registry/v2", "/apis/registry/v3/"} {
		s := newServer(t)
		s.on("/apis/registry/v3/ids/globalIds/17", apicurio(200, "AVRO", `"long"`))
		s.on("/apis/registry/v3/ids/globalIds/18", apicurio(200, "PROTOBUF", `syntax = "proto3"`))
		s.on("/apis/registry/v3/ids/globalIds/19", apicurio(404, "", `{"name":"VersionNotFoundException","title":"No version with global ID '19' found.","status":404}`))
		c := openRegistry(t, s.URL+path, UseID, "globalId")
		if schema, err := c.SchemaByID(context.Background(), 17); err != nil || schema.Text != `"long"` || schema.Type != "AVRO" || schema.ID != 17 {
			t.Errorf("%s: %+v, %v", path, schema, err)
		}
		if schema, err := c.SchemaByID(context.Background(), 18); err != nil || schema.Type != "PROTOBUF" {
			t.Errorf("%s: %+v, %v", path, schema, err)
		}
		_, err := c.SchemaByID(context.Background(), 19)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != NotFound || !strings.Contains(err.Error(), "No version with global ID '19' found") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestApicurioTwoHasAnotherAPI(t *testing.T) {
	s := newServer(t)
	s.on("/apis/registry/v3/ids/globalIds/17", reply(404, `{"error_code":404,"message":"RESTEASY003210: Could not find resource"}`))
	s.on("/apis/registry/v3/ids/globalIds/18", reply(404, ``))
	s.on("/apis/registry/v2/ids/globalIds/17", apicurio(200, "", `"long"`))
	s.on("/apis/registry/v2/ids/globalIds/18", apicurio(404, "", `{"name":"ArtifactNotFoundException","message":"No artifact with ID '18' was found.","error_code":404}`))
	c := openRegistry(t, s.URL+"/apis/ccompat/v7", UseID, "globalId")
	if schema, err := c.SchemaByID(context.Background(), 17); err != nil || schema.Text != `"long"` || schema.Type != "AVRO" {
		t.Errorf("%+v, %v", schema, err)
	}
	_, err := c.SchemaByID(context.Background(), 18)
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != NotFound {
		t.Error(err)
	}
}

func TestAServerWithoutApicuriosAPISaysNothingAboutAnID(t *testing.T) {
	s := newServer(t)
	c := openRegistry(t, s.URL, UseID, "globalId")
	_, err := c.SchemaByID(context.Background(), 17)
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Unavailable || !strings.Contains(err.Error(), "is the URL right?") {
		t.Error(err)
	}
}

func TestAContentIDIsAskedOfTheCompatibleAPI(t *testing.T) {
	for _, path := range []string{"", "/apis/ccompat/v7", "/apis/registry/v3"} {
		s := newServer(t)
		s.on("/apis/ccompat/v7/schemas/ids/17", reply(200, longSchema))
		c := openRegistry(t, s.URL+path, UseID, "contentId")
		if schema, err := c.SchemaByID(context.Background(), 17); err != nil || schema.Text != `"long"` {
			t.Errorf("%s: %+v, %v", path, schema, err)
		}
	}
}

func TestAGlobalIDIsAskedWithTheLogin(t *testing.T) {
	s := newServer(t)
	s.on("/apis/registry/v3/ids/globalIds/17", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		apicurio(200, "AVRO", `"long"`)(w, r)
	})
	if _, err := openRegistry(t, s.URL, UseID, "globalId", "basic.auth.user.info", "u:p").SchemaByID(context.Background(), 17); err != nil {
		t.Error(err)
	}
	_, err := openRegistry(t, s.URL, UseID, "globalId").SchemaByID(context.Background(), 17)
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Unauthorized {
		t.Error(err)
	}
}
