package registry

import (
	"errors"
	"net/http"
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
	s := newFuzzServer(f)
	f.Fuzz(func(t *testing.T, code int, contentType string, body []byte) {
		s.set(max(200, min(code, 599)), contentType, body)
		r := openRegistry(t, s.URL, "max.retries", "0", "request.timeout.ms", "2000")
		began := time.Now()
		schema, err := r.SchemaByID(background, 1)
		if time.Since(began) > 20*time.Second {
			t.Fatal("no end")
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || err.Error() == "" || e.ID != 1) {
			t.Fatalf("%#v", err)
		}
		if err == nil && schema.Text == "" {
			t.Fatal("neither a schema nor an error")
		}
		if err != nil && errors.Is(err, http.ErrAbortHandler) {
			t.Fatal(err)
		}
	})
}
