package mock

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unsafe"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"

	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

func startRegistry(t *testing.T) *registryServer {
	t.Helper()
	r, err := newRegistryServer()
	must(t, err)
	t.Cleanup(r.close)
	return r
}

func TestConfluentsClientRegistersAndFindsSchemas(t *testing.T) {
	r := startRegistry(t)
	c, err := schemaregistry.NewClient(schemaregistry.NewConfig(r.url))
	must(t, err)
	defer func() { _ = c.Close() }()
	long := schemaregistry.SchemaInfo{Schema: `"long"`}

	id, err := c.Register("a/b c-value", long, false)
	must(t, err)
	same, err := c.Register("other", schemaregistry.SchemaInfo{Schema: ` "long" `, SchemaType: "AVRO"}, true)
	must(t, err)
	second, err := c.Register("other", schemaregistry.SchemaInfo{Schema: `"int"`}, false)
	must(t, err)
	if id != 1 || same != 1 || second != 2 {
		t.Errorf("ids %d %d %d", id, same, second)
	}
	info, err := c.GetBySubjectAndID("other", 2)
	must(t, err)
	if info.Schema != `"int"` || info.SchemaType != "" {
		t.Errorf("got %+v", info)
	}
	latest, err := c.GetLatestSchemaMetadata("other")
	must(t, err)
	if latest.ID != 2 || latest.Version != 2 || latest.Subject != "other" || latest.Schema != `"int"` {
		t.Errorf("latest %+v", latest)
	}
	number, err := c.GetVersion("a/b c-value", long, false)
	must(t, err)
	found, err := c.GetID("a/b c-value", long, false)
	must(t, err)
	if number != 1 || found != 1 {
		t.Errorf("version %d, id %d", number, found)
	}
	subjects, err := c.GetAllSubjects()
	must(t, err)
	users, err := c.GetSubjectsAndVersionsByID(1)
	must(t, err)
	versions, err := c.GetAllVersions("other")
	must(t, err)
	if got := fmt.Sprint(subjects, users, versions); got != "[a/b c-value other] [{a/b c-value 1} {other 1}] [1 2]" {
		t.Error(got)
	}
	level, err := c.GetDefaultCompatibility()
	must(t, err)
	if level != schemaregistry.None {
		t.Errorf("level %v", level)
	}
	_, err = c.UpdateCompatibility("other", schemaregistry.Full)
	must(t, err)
	if level, err = c.GetCompatibility("other"); err != nil || level != schemaregistry.Full {
		t.Errorf("level %v, %v", level, err)
	}
	deleted, err := c.DeleteSubjectVersion("other", 2, false)
	must(t, err)
	if _, err := c.GetSchemaMetadataIncludeDeleted("other", 2, true); err != nil || deleted != 2 {
		t.Errorf("deleted %d, %v", deleted, err)
	}
	_, err = c.DeleteSubject("a/b c-value", false)
	must(t, err)
	_, err = c.DeleteSubject("a/b c-value", true)
	must(t, err)
}

func TestReferencesAreFollowedByOurRegistry(t *testing.T) {
	r := startRegistry(t)
	c, err := schemaregistry.NewClient(schemaregistry.NewConfig(r.url))
	must(t, err)
	defer func() { _ = c.Close() }()
	money := `{"type":"fixed","name":"Money","size":8}`
	_, err = c.Register("money", schemaregistry.SchemaInfo{Schema: money}, false)
	must(t, err)
	order := schemaregistry.SchemaInfo{
		Schema:     `{"type":"record","name":"Order","fields":[{"name":"total","type":"Money"}]}`,
		References: []schemaregistry.Reference{{Name: "Money", Subject: "money", Version: 1}},
	}
	id, err := c.Register("order", order, false)
	must(t, err)

	ours, err := registry.NewConfluent(r.url, nil, nil)
	must(t, err)
	schema, err := ours.SchemaByID(t.Context(), id)
	must(t, err)
	if schema.Text != order.Schema || len(schema.References) != 1 || schema.References[0].Text != money {
		t.Errorf("got %+v", schema)
	}
	order.References[0].Version = 2
	if _, err := c.Register("order", order, false); err == nil {
		t.Error("a reference to nothing was taken")
	}
}

// The way of a message whose header names its schema: what Confluent's serializer writes leads to the schema.
func TestSchemasAreFoundByTheGUIDOfAHeader(t *testing.T) {
	r := startRegistry(t)
	c, err := schemaregistry.NewClient(schemaregistry.NewConfig(r.url))
	must(t, err)
	defer func() { _ = c.Close() }()
	money := `{"type":"fixed","name":"Money","size":8}`
	_, err = c.Register("money", schemaregistry.SchemaInfo{Schema: money}, false)
	must(t, err)
	order := schemaregistry.SchemaInfo{
		Schema:     `{"type":"record","name":"Order","fields":[{"name":"total","type":"Money"}]}`,
		References: []schemaregistry.Reference{{Name: "Money", Subject: "money", Version: 1}},
	}
	registered, err := c.RegisterFullResponse("order", order, false)
	must(t, err)
	name, err := serde.NewSchemaID("AVRO", 0, registered.GUID)
	must(t, err)
	header, err := name.GUIDToBytes()
	must(t, err)

	found, _, err := wire.HeaderSchema(unsafe.Pointer(&header[0]), int32(len(header)))
	must(t, err)
	ours, err := registry.NewConfluent(r.url, nil, nil)
	must(t, err)
	schema, err := ours.(registry.ByGUID).SchemaByGUID(t.Context(), found.GUID.String())
	must(t, err)
	if schema.Text != order.Schema || len(schema.References) != 1 || schema.References[0].Text != money {
		t.Errorf("got %+v", schema)
	}
	alone, err := c.RegisterFullResponse("alone", schemaregistry.SchemaInfo{Schema: order.Schema}, false)
	must(t, err)
	if alone.GUID == registered.GUID {
		t.Error("a schema with references has the GUID of one without")
	}
}

func TestAnswersAreThoseOfConfluentsRegistry(t *testing.T) {
	r := startRegistry(t)
	cases := []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/subjects/s/versions", `{"schema":"\"long\""}`, 200, `{"guid":"49eaefbf-69c7-8418-9139-ac1fd240de50","id":1}`},
		{"POST", "/subjects/s/versions?normalize=true", `{"schema":"syntax = \"proto3\";","schemaType":"PROTOBUF"}`, 200, `{"guid":"ba8cf28f-fa9a-8e36-8e17-2b177156d094","id":2}`},
		{"GET", "/schemas/ids/1", ``, 200, `{"schema":"\"long\"","guid":"49eaefbf-69c7-8418-9139-ac1fd240de50"}`},
		{"GET", "/schemas/ids/1?subject=s", ``, 200, `{"schema":"\"long\"","guid":"49eaefbf-69c7-8418-9139-ac1fd240de50"}`},
		{"GET", "/schemas/ids/2", ``, 200, `{"schema":"syntax = \"proto3\";","schemaType":"PROTOBUF","guid":"ba8cf28f-fa9a-8e36-8e17-2b177156d094"}`},
		{"GET", "/schemas/guids/ba8cf28f-fa9a-8e36-8e17-2b177156d094", ``, 200, `{"schema":"syntax = \"proto3\";","schemaType":"PROTOBUF","guid":"ba8cf28f-fa9a-8e36-8e17-2b177156d094"}`},
		{"GET", "/schemas/guids/x", ``, 404, `{"error_code":40403,"message":"Schema x not found"}`},
		{"GET", "/schemas/ids/1/schema", ``, 200, `"long"`},
		{"GET", "/schemas/ids/3", ``, 404, `{"error_code":40403,"message":"Schema 3 not found"}`},
		{"GET", "/schemas/ids/x", ``, 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`},
		{"GET", "/schemas/types", ``, 200, `["JSON","PROTOBUF","AVRO"]`},
		{"GET", "/subjects/s/versions/1", ``, 200, `{"subject":"s","version":1,"id":1,"schema":"\"long\"","guid":"49eaefbf-69c7-8418-9139-ac1fd240de50"}`},
		{"GET", "/subjects/s/versions/1/schema", ``, 200, `"long"`},
		{"GET", "/subjects/s/versions/latest/schema", ``, 200, `syntax = "proto3";`},
		{"GET", "/subjects/s/versions/9", ``, 404, `{"error_code":40402,"message":"Version 9 not found."}`},
		{"GET", "/subjects/s/versions/x", ``, 422, `{"error_code":42202,"message":"The specified version 'x' is not a valid version id."}`},
		{"GET", "/subjects/t/versions", ``, 404, `{"error_code":40401,"message":"Subject 't' not found."}`},
		{"GET", "/subjects/t/versions/1", ``, 404, `{"error_code":40401,"message":"Subject 't' not found."}`},
		{"POST", "/subjects/s", `{"schema":"\"long\""}`, 200, `{"subject":"s","version":1,"id":1,"schema":"\"long\"","guid":"49eaefbf-69c7-8418-9139-ac1fd240de50"}`},
		{"POST", "/subjects/s", `{"schema":"\"int\""}`, 404, `{"error_code":40403,"message":"Schema not found"}`},
		{"POST", "/subjects/t", `{"schema":"\"long\""}`, 404, `{"error_code":40401,"message":"Subject 't' not found."}`},
		{"POST", "/subjects/s/versions", `{"schema":"{"}`, 422, `{"error_code":42201,"message":"Invalid schema {"}`},
		{"POST", "/subjects/s/versions", `{}`, 422, `{"error_code":42201,"message":"Empty schema"}`},
		{"POST", "/subjects/s/versions", `{`, 400, `{"error_code":400,"message":"Unrecognized request: unexpected EOF"}`},
		{"POST", "/compatibility/subjects/s/versions/latest", `{"schema":"\"int\""}`, 200, `{"is_compatible":true}`},
		{"GET", "/config", ``, 200, `{"compatibilityLevel":"NONE"}`},
		{"PUT", "/config", `{"compatibility":"FULL"}`, 200, `{"compatibility":"FULL"}`},
		{"PUT", "/config/s", `{"compatibility":"SOME"}`, 422, `{"error_code":42203,"message":"Invalid compatibility level"}`},
		{"GET", "/config/s", ``, 404, `{"error_code":40408,"message":"Subject 's' does not have subject-level compatibility configured"}`},
		{"GET", "/config/s?defaultToGlobal=true", ``, 200, `{"compatibilityLevel":"FULL"}`},
		{"DELETE", "/subjects/s/versions/1?permanent=true", ``, 404, `{"error_code":40407,"message":"Version 1 was not deleted first before being permanently deleted"}`},
		{"DELETE", "/subjects/s/versions/1", ``, 200, `1`},
		{"GET", "/subjects/s/versions", ``, 200, `[2]`},
		{"GET", "/subjects/s/versions?deleted=true", ``, 200, `[1,2]`},
		{"DELETE", "/subjects/s/versions/1?permanent=true", ``, 200, `1`},
		{"DELETE", "/subjects/s", ``, 200, `[2]`},
		{"GET", "/subjects", ``, 200, `[]`},
		{"GET", "/subjects?deleted=true", ``, 200, `["s"]`},
		{"DELETE", "/subjects/t", ``, 404, `{"error_code":40401,"message":"Subject 't' not found."}`},
		{"GET", "/schemas/ids/1", ``, 200, `{"schema":"\"long\"","guid":"49eaefbf-69c7-8418-9139-ac1fd240de50"}`},
		{"GET", "/mode", ``, 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`},
	}
	for _, c := range cases {
		request, err := http.NewRequestWithContext(t.Context(), c.method, r.url+c.path, bytes.NewReader([]byte(c.body)))
		must(t, err)
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		body, err := io.ReadAll(response.Body)
		must(t, err)
		_ = response.Body.Close()
		if got := strings.TrimSpace(string(body)); response.StatusCode != c.status || got != c.want {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, response.StatusCode, got, c.status, c.want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestAnEmptyListOfReferencesIsNone(t *testing.T) {
	with, without := schema{Type: "JSON", Text: "{}", References: []reference{}}, schema{Type: "JSON", Text: "{}"}
	if with.guid() != without.guid() {
		t.Errorf("%s and %s", with.guid(), without.guid())
	}
}
