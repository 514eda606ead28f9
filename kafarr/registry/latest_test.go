package registry

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTheLatestSchemaOfASubjectIsAskedForEachTime(t *testing.T) {
	s := newServer(t)
	r := openRegistry(t, s.URL)
	path := "/subjects/orders-value/versions/latest"
	_, err := r.LatestSchema(t.Context(), "orders-value")
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != NotFound || !strings.Contains(err.Error(), "subject orders-value") {
		t.Errorf("got %v, want one that is not found", err)
	}
	s.on(path, reply(200, `{"subject":"orders-value","id":7,"version":2,"schema":"[\"x.R\",\"null\"]","references":[{"name":"x.R","subject":"r","version":1}]}`))
	s.on("/subjects/r/versions/1", reply(200, `{"subject":"r","id":3,"version":1,"schema":"{\"type\":\"fixed\",\"name\":\"x.R\",\"size\":2}"}`))
	for range 2 {
		got, err := r.LatestSchema(t.Context(), "orders-value")
		if err != nil || got.ID != 7 || got.Type != "AVRO" || got.Text != `["x.R","null"]` || len(got.References) != 1 {
			t.Errorf("got %+v and %v", got, err)
		}
	}
	if n := s.count(path); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

func TestAskingForTheLatestSchemaEndsWithItsContext(t *testing.T) {
	s := newServer(t)
	s.on("/subjects/slow/versions/latest", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	r := openRegistry(t, s.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := r.LatestSchema(ctx, "slow")
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Unavailable {
		t.Errorf("got %v, want one of a registry that does not answer", err)
	}
}
