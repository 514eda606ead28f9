package mock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"
)

// registryServer speaks the part of Confluent's Schema Registry REST interface that serializers and clients use.
type registryServer struct {
	*subjects
	url    string
	server *http.Server
	ended  chan struct{}
}

func newRegistryServer() (*registryServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &registryServer{
		subjects: newSubjects(),
		url:      "http://" + listener.Addr().String(),
		ended:    make(chan struct{}),
	}
	r.server = &http.Server{
		Handler:           r.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // a library writes nothing to stderr
	}
	go func() {
		defer close(r.ended)
		_ = r.server.Serve(listener) // returns when close is called; net/http turns a handler's panic into a dropped connection
	}()
	return r, nil
}

func (r *registryServer) close() {
	_ = r.server.Close()
	<-r.ended
}

func (r *registryServer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /subjects", r.getSubjects)
	mux.HandleFunc("GET /subjects/{subject}/versions", r.getVersions)
	mux.HandleFunc("POST /subjects/{subject}/versions", r.postVersion)
	mux.HandleFunc("GET /subjects/{subject}/versions/{version}", r.getVersion)
	mux.HandleFunc("GET /subjects/{subject}/versions/{version}/schema", r.getVersionText)
	mux.HandleFunc("POST /subjects/{subject}", r.lookUp)
	mux.HandleFunc("DELETE /subjects/{subject}", r.deleteSubject)
	mux.HandleFunc("DELETE /subjects/{subject}/versions/{version}", r.deleteVersion)
	mux.HandleFunc("GET /schemas/ids/{id}", r.getSchema)
	mux.HandleFunc("GET /schemas/ids/{id}/schema", r.getSchemaText)
	mux.HandleFunc("GET /schemas/ids/{id}/versions", r.getUsers)
	mux.HandleFunc("GET /schemas/guids/{guid}", r.getSchemaByGUID)
	mux.HandleFunc("GET /schemas/types", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, schemaTypes)
	})
	mux.HandleFunc("POST /compatibility/subjects/{subject}/versions/{version}", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]bool{"is_compatible": true})
	})
	mux.HandleFunc("GET /config", r.getConfig)
	mux.HandleFunc("PUT /config", r.putConfig)
	mux.HandleFunc("GET /config/{subject}", r.getConfig)
	mux.HandleFunc("PUT /config/{subject}", r.putConfig)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, "HTTP 404 Not Found")
	})
	return mux
}

// readSchema takes a schema from a request's body, or answers why it cannot be one.
func readSchema(w http.ResponseWriter, q *http.Request) (schema, bool) {
	var sent schema
	if !read(w, q, &sent) {
		return sent, false
	}
	if sent.Type == "" {
		sent.Type = "AVRO"
	}
	if err := sent.check(); err != nil {
		fail(w, 42201, "%v", err)
		return sent, false
	}
	return sent, true
}

// schemaTypes are the types of schemas that registries know.
var schemaTypes = []string{"JSON", "PROTOBUF", "AVRO"}

// check says why it can be no schema. Schemas are not parsed: with references that would take more than this mock is for.
func (s schema) check() error {
	switch {
	case !slices.Contains(schemaTypes, s.Type):
		return fmt.Errorf("Invalid schema type %s", s.Type) //nolint:staticcheck // as Confluent's registry says it
	case s.Text == "":
		return errors.New("Empty schema") //nolint:staticcheck // likewise
	case s.Type != "PROTOBUF" && !json.Valid([]byte(s.Text)):
		return fmt.Errorf("Invalid schema %s", s.Text) //nolint:staticcheck // likewise
	}
	return nil
}

// shownSchema is a schema as answers hold it.
type shownSchema struct {
	schema
	GUID string `json:"guid"`
}

// shown leaves the type out where it is Avro.
func (s schema) shown() shownSchema {
	guid := s.guid()
	if s.Type == "AVRO" {
		s.Type = ""
	}
	return shownSchema{s, guid}
}

func read(w http.ResponseWriter, q *http.Request, into any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, q.Body, 16<<20)).Decode(into)
	if err != nil {
		fail(w, http.StatusBadRequest, "Unrecognized request: %v", err)
	}
	return err == nil
}

func wants(q *http.Request, flag string) bool { return q.URL.Query().Get(flag) == "true" }

func noSubject(w http.ResponseWriter, q *http.Request) {
	fail(w, 40401, "Subject '%s' not found.", q.PathValue("subject"))
}

// fail answers with an error code, whose first three digits are the HTTP status.
func fail(w http.ResponseWriter, code int, format string, args ...any) {
	status := code
	for status > 999 {
		status /= 10
	}
	answer(w, status, map[string]any{"error_code": code, "message": fmt.Sprintf(format, args...)})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the client has gone
}

func answerText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	_, _ = io.WriteString(w, text)
}
