package registry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// FuzzAnswer gives a registry's client whatever a server may answer: a schema or an error that says something, soon, and no panic.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		longSchema, `{}`, `[]`, `null`, ``, `{"schema":1}`, `{"schema":"\"long\"","schemaType":"PROTOBUF"}`, `<html>`, `{"error_code":40403,"message":"no"}`,
		`{"schema":"\"A\"","references":[{"name":"A","subject":"a","version":1}]}`, `{"schema":"x","references":[{"name":"","subject":"../..","version":-1}]}`,
	} {
		f.Add(200, "application/json", []byte(body))
		f.Add(404, "text/html", []byte(body))
	}
	var answer atomic.Value
	answer.Store(http.HandlerFunc(http.NotFound))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer.Load().(http.HandlerFunc)(w, r) }))
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, code int, contentType string, body []byte) {
		answer.Store(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(max(200, min(code, 599)))
			_, _ = w.Write(body)
		}))
		began := time.Now()
		schema, err := openRegistry(t, s.URL, "max.retries", "0", "request.timeout.ms", "2000").SchemaByID(background, 1)
		if time.Since(began) > 20*time.Second {
			t.Fatal("no end")
		}
		var e *Error
		switch {
		case err == nil && schema.ID != 1:
			t.Fatalf("%+v", schema)
		case err != nil && (!errors.As(err, &e) || e.ID != 1 || e.Err == nil):
			t.Fatalf("%#v", err)
		}
	})
}
