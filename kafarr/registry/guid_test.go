package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	someGUID = "89791762-2336-486f-9c1d-2e4a1f6b7c8d"
	guidPath = "/schemas/guids/" + someGUID
)

func TestSchemasAreFoundByGUIDWithWhatTheyReferTo(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	s.on(guidPath, schemaAnswer(0, "order", "customer/2", "money/1"))
	s.on("/subjects/customer/versions/2", schemaAnswer(2, "customer", "money/1"))
	s.on("/subjects/money/versions/1", schemaAnswer(3, "money"))
	var r ByGUID = openRegistry(t, s.URL)
	for _, guid := range []string{someGUID, strings.ToUpper(someGUID)} {
		schema, err := r.SchemaByGUID(background, guid)
		if err != nil {
			t.Fatal(err)
		}
		if schema.ID != -1 || schema.Type != "AVRO" || schema.Text != "order" || !slices.Equal(texts(schema), []string{"money", "customer"}) {
			t.Errorf("got %+v", schema)
		}
	}
	if n := s.count(guidPath); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestAnUnknownGUIDIsNamedAndRemembered(t *testing.T) {
	s := newServer(t)
	r := openRegistry(t, s.URL)
	for range 1000 {
		_, err := r.SchemaByGUID(background, someGUID)
		wantKind(t, err, NotFound, "schema registry "+s.URL+": schema "+someGUID+": 404: Schema not found (error code 40403)")
		var failed *Error
		if errors.As(err, &failed) && failed.ID != -1 {
			t.Errorf("id %d", failed.ID)
		}
	}
	if n := s.count(guidPath); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestARegistryThatKnowsNoGUIDsIsToldApart(t *testing.T) {
	s := newServer(t)
	s.on(guidPath, reply(404, `{"error_code":404,"message":"HTTP 404 Not Found"}`))
	_, err := openRegistry(t, s.URL).SchemaByGUID(background, someGUID)
	wantKind(t, err, NotFound, "schema "+someGUID+": 404: HTTP 404 Not Found: does this registry find schemas by GUID?")
}

func TestAnIDAndAGUIDAreNeverTakenForEachOther(t *testing.T) {
	s := newServer(t)
	s.on(path(0), schemaAnswer(0, "zero"))
	s.on(guidPath, schemaAnswer(0, "by GUID"))
	r := openRegistry(t, s.URL)
	for _, c := range []struct {
		want string
		ask  func() (Schema, error)
	}{
		{"zero", func() (Schema, error) { return r.SchemaByID(background, 0) }},
		{"by GUID", func() (Schema, error) { return r.SchemaByGUID(background, someGUID) }},
		{"zero", func() (Schema, error) { return r.SchemaByID(background, 0) }},
	} {
		if schema, err := c.ask(); err != nil || schema.Text != c.want {
			t.Errorf("got %+v, %v, want %s", schema, err, c.want)
		}
	}
}

func TestWhatIsNoGUIDIsNotAskedFor(t *testing.T) {
	s := newServer(t)
	r := openRegistry(t, s.URL)
	for _, text := range []string{"", "17", someGUID + "/ids", "../ids/1", someGUID[1:] + "g", strings.ReplaceAll(someGUID, "-", "")} {
		_, err := r.SchemaByGUID(background, text)
		wantKind(t, err, Invalid, fmt.Sprintf("%q has not the form of a GUID", text))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) != 0 {
		t.Errorf("requests %v", s.requests)
	}
}

func TestACircleBackToTheGUIDIsRefused(t *testing.T) {
	s := newServer(t)
	s.on(guidPath, schemaAnswer(0, "order", "order/1"))
	s.on("/subjects/order/versions/1", reply(200, fmt.Sprintf(
		`{"id":7,"guid":%q,"schema":"order","references":[{"name":"N.order","subject":"order","version":1}]}`, strings.ToUpper(someGUID))))
	_, err := openRegistry(t, s.URL).SchemaByGUID(background, someGUID)
	wantKind(t, err, Invalid, "schema "+someGUID+": references form a circle: N.order (subject order, version 1)")
	if strings.Contains(err.Error(), "->") {
		t.Errorf("the circle was followed once around: %v", err)
	}
}

func TestAMissingReferenceOfAGUIDIsNamed(t *testing.T) {
	s := newServer(t)
	s.on(guidPath, schemaAnswer(0, "order", "money/3"))
	_, err := openRegistry(t, s.URL).SchemaByGUID(background, someGUID)
	wantKind(t, err, NotFound, "schema "+someGUID+": reference N.money (subject money, version 3): 404: Schema not found")
}

func TestALookUpByGUIDEndsWithItsContext(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	release := make(chan struct{})
	s.on(guidPath, func(w http.ResponseWriter, r *http.Request) {
		<-release
		reply(200, longSchema)(w, r)
	})
	r := openRegistry(t, s.URL)
	ctx, cancel := context.WithTimeout(background, 30*time.Millisecond)
	defer cancel()
	_, err := r.SchemaByGUID(ctx, someGUID)
	wantKind(t, err, Unavailable, "schema "+someGUID+": no answer yet")
	close(release)
	if schema, err := r.SchemaByGUID(background, someGUID); err != nil || schema.Text != `"long"` {
		t.Errorf("got %+v, %v", schema, err)
	}
}
