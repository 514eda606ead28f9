package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestKnownSchemaIsAskedForOnce(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	s.on(path(17), reply(200, longSchema))
	r := openRegistry(t, s.URL)
	for range 3 {
		schema, err := r.SchemaByID(background, 17)
		if err != nil {
			t.Fatal(err)
		}
		if schema.ID != 17 || schema.Type != "AVRO" || schema.Text != `"long"` || schema.References != nil {
			t.Errorf("got %+v", schema)
		}
	}
	if n := s.count(path(17)); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestThousandCallersAtOnceShareOneRequest(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	release := make(chan struct{})
	s.on(path(1), func(w http.ResponseWriter, r *http.Request) {
		<-release
		reply(200, longSchema)(w, r)
	})
	r := openRegistry(t, s.URL)
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			if _, err := r.SchemaByID(background, 1); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	close(release)
	all.Wait()
	if n := s.count(path(1)); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestAnIDIsUnknownByAnyErrorCodeOf404 has those of a subject and of a version, too: with ids of its own (legacy id mode), Apicurio looks for the version that has the id.
func TestAnIDIsUnknownByAnyErrorCodeOf404(t *testing.T) {
	for _, code := range []int{40401, 40402, 40403} {
		s := newServer(t)
		s.on(path(1), reply(404, fmt.Sprintf(`{"error_code":%d,"message":"No version with id 1"}`, code)))
		_, err := openRegistry(t, s.URL).SchemaByID(background, 1)
		wantKind(t, err, NotFound, "No version with id 1")
	}
}

func TestThousandMessagesOfOneUnknownIDMakeOneRequest(t *testing.T) {
	s := newServer(t)
	r := openRegistry(t, s.URL)
	for range 1000 {
		_, err := r.SchemaByID(background, 17)
		wantKind(t, err, NotFound, s.URL, "schema 17", "404: Schema not found")
	}
	if n := s.count(path(17)); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestUnknownIDIsAskedForAgainAfterAWhile(t *testing.T) {
	s := newServer(t)
	r := openRegistry(t, s.URL)
	_, err := r.SchemaByID(background, 17)
	wantKind(t, err, NotFound)
	s.on(path(17), reply(200, longSchema))
	r.mu.Lock()
	r.failed[name{id: 17}] = failure{err, time.Now().Add(-time.Millisecond)} // as if five seconds had passed
	r.mu.Unlock()
	if _, err := r.SchemaByID(background, 17); err != nil {
		t.Error(err)
	}
}

func TestOutageIsNotRemembered(t *testing.T) {
	s := newServer(t)
	s.on(path(2), reply(503, `{"error_code":50301,"message":"starting"}`))
	r := openRegistry(t, s.URL, "max.retries", "0")
	_, err := r.SchemaByID(background, 2)
	wantKind(t, err, Unavailable, "503: starting (error code 50301)")
	s.on(path(2), reply(200, longSchema))
	if _, err := r.SchemaByID(background, 2); err != nil {
		t.Error(err)
	}
}

func TestOverloadedRegistryIsTriedAgain(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	s.on(path(2), func(w http.ResponseWriter, r *http.Request) {
		if s.count(path(2)) < 3 {
			reply(429, `{"error_code":42901,"message":"slow down"}`)(w, r)
			return
		}
		reply(200, longSchema)(w, r)
	})
	if _, err := openRegistry(t, s.URL).SchemaByID(background, 2); err != nil {
		t.Error(err)
	}
	if n := s.count(path(2)); n != 3 {
		t.Errorf("%d requests", n)
	}
}

func TestCallerIsFreeWhenItsContextEndsAndTheAnswerServesTheNext(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	release := make(chan struct{})
	s.on(path(1), func(w http.ResponseWriter, r *http.Request) {
		<-release
		reply(200, longSchema)(w, r)
	})
	r := openRegistry(t, s.URL)
	ctx, cancel := context.WithTimeout(background, 30*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := r.SchemaByID(ctx, 1)
	wantKind(t, err, Unavailable, "no answer yet")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the cause is lost: %v", err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("waited %v", took)
	}
	close(release)
	if _, err := r.SchemaByID(background, 1); err != nil {
		t.Error(err)
	}
	if n := s.count(path(1)); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestContextThatHasEndedStartsNoRequestButGetsWhatIsKnown(t *testing.T) {
	s := newServer(t)
	s.on(path(1), reply(200, longSchema))
	r := openRegistry(t, s.URL)
	ended, cancel := context.WithCancel(background)
	cancel()
	_, err := r.SchemaByID(ended, 1)
	if !errors.Is(err, context.Canceled) || s.count(path(1)) != 0 {
		t.Errorf("%v, %d requests", err, s.count(path(1)))
	}
	if _, err := r.SchemaByID(background, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := r.SchemaByID(ended, 1); err != nil {
		t.Error(err)
	}
}

func TestHangingIDDoesNotKeepOthersWaiting(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	release := make(chan struct{})
	s.on(path(1), func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	s.on(path(2), reply(200, longSchema))
	r := openRegistry(t, s.URL)
	ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
	defer cancel()
	_, err := r.SchemaByID(ctx, 1)
	wantKind(t, err, Unavailable)
	short, cancelShort := context.WithTimeout(background, 5*time.Second)
	defer cancelShort()
	if _, err := r.SchemaByID(short, 2); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsRequestsUnderWay(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	reached, release := make(chan struct{}), make(chan struct{})
	s.on(path(1), func(http.ResponseWriter, *http.Request) {
		close(reached)
		<-release
	})
	t.Cleanup(func() { close(release) })
	r := openRegistry(t, s.URL)
	answer := make(chan error)
	go func() {
		_, err := r.SchemaByID(background, 1)
		answer <- err
	}()
	<-reached
	_ = r.Close()
	select {
	case err := <-answer:
		wantKind(t, err, Unavailable)
	case <-time.After(5 * time.Second):
		t.Fatal("still waiting")
	}
}

func TestPanicInARequestIsAnError(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	r := openRegistry(t, s.URL)
	r.config.AuthenticationHeaderProvider = panicking{}
	r.config.BearerAuthCredentialsSource = "CUSTOM"
	_, err := r.SchemaByID(background, 1)
	wantKind(t, err, Invalid, "schema 1", "panic: no token today")
	r.config.AuthenticationHeaderProvider = nil
	r.config.BearerAuthCredentialsSource = ""
	s.on(path(2), reply(200, longSchema))
	if _, err := r.SchemaByID(background, 2); err != nil {
		t.Errorf("the registry is of no use afterwards: %v", err)
	}
}

type panicking struct{}

func (panicking) GetAuthenticationHeader() (string, error) { panic("no token today") }
func (panicking) GetIdentityPoolID() (string, error)       { return "", nil }
func (panicking) GetLogicalCluster() (string, error)       { return "", nil }

func TestManyIDsAtOnceAreFetchedWithoutRaces(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	for id := range 50 {
		s.on(path(id), reply(200, `{"schema":"\"long\"","references":[{"name":"a","subject":"a","version":1}]}`))
	}
	s.on("/subjects/a/versions/1", reply(200, `{"id":99,"subject":"a","version":1,"schema":"\"int\""}`))
	r := openRegistry(t, s.URL, "basic.auth.user.info", "anna:secret")
	var all sync.WaitGroup
	for id := range 50 {
		all.Go(func() {
			if _, err := r.SchemaByID(background, id); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestCapacityForgetsTheOldest(t *testing.T) {
	s := newServer(t)
	s.on(path(1), reply(200, longSchema))
	s.on(path(2), reply(200, longSchema))
	r := openRegistry(t, s.URL, "cache.capacity", "1")
	for _, id := range []int{1, 2, 1} {
		if _, err := r.SchemaByID(background, id); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.count(path(1)); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestNextURLIsTriedWhenOneIsDead(t *testing.T) {
	s := newServer(t)
	s.on("/apis/ccompat/v7"+path(1), reply(200, longSchema))
	dead := newServer(t)
	dead.Close()
	r := openRegistry(t, dead.URL+", "+s.URL+"/apis/ccompat/v7/")
	if _, err := r.SchemaByID(background, 1); err != nil {
		t.Error(err)
	}
}

func TestStaticKnowsWhatItWasGiven(t *testing.T) {
	r := Static{3: {Text: `"long"`}}
	schema, err := r.SchemaByID(background, 3)
	if err != nil || schema.ID != 3 || schema.Type != "AVRO" || schema.Text != `"long"` {
		t.Errorf("%+v, %v", schema, err)
	}
	_, err = r.SchemaByID(background, 4)
	wantKind(t, err, NotFound, "schema 4")
	if strings.Contains(err.Error(), "%") {
		t.Error(err)
	}
}
