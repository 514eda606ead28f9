package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
)

// UseID is the property that says which of Apicurio's two numbers ids are, named and spelled as for Apicurio's serializers. A content id is the same for every artifact with that
// content, and is what Apicurio's Confluent-compatible API knows; a global id is an artifact version's. Either may be a number of the other kind, too, of another schema: so nobody guesses.
const UseID = "apicurio.registry.use-id"

// The values of UseID.
const (
	useGlobalID  = "globalId"
	useContentID = "contentId"
)

func checkUseID(_ *schemaregistry.Config, value string) error {
	if value != useGlobalID && value != useContentID {
		return fmt.Errorf(`%q is neither %q nor %q`, value, useGlobalID, useContentID)
	}
	return nil
}

// apicurioPath ends the address of one of Apicurio's APIs.
var apicurioPath = regexp.MustCompile(`/apis/(ccompat|registry)/v[0-9]+$`)

// compatible gives the addresses of an Apicurio registry's Confluent-compatible API, wherever the given ones point to: to it, to Apicurio's own API, or to the server.
func compatible(urls string) string {
	parts := strings.Split(urls, ",")
	for i, u := range parts {
		switch found := apicurioPath.FindStringSubmatch(u); {
		case found == nil:
			parts[i] = u + "/apis/ccompat/v7"
		case found[1] == "registry":
			parts[i] = strings.TrimSuffix(u, found[0]) + "/apis/ccompat/v7"
		}
	}
	return strings.Join(parts, ",")
}

// globalIDs answers the compatible API's question for the schema of an id from Apicurio's own API, which knows global ids. All else, such as logins and other tries, stays the client's.
type globalIDs struct{ base http.RoundTripper }

const schemaOfID = "/schemas/ids/"

// RoundTrip implements http.RoundTripper.
func (g globalIDs) RoundTrip(request *http.Request) (*http.Response, error) {
	at := strings.LastIndex(request.URL.Path, schemaOfID)
	if at < 0 {
		return g.base.RoundTrip(request)
	}
	root, id := apicurioPath.ReplaceAllString(request.URL.Path[:at], ""), request.URL.Path[at+len(schemaOfID):]
	// With what it refers to in its place. Apicurio 2 knows neither v3 nor its names for that.
	response, known, err := g.ask(request, root+"/apis/registry/v3/ids/globalIds/"+id, "references=DEREFERENCE&returnArtifactType=true")
	if err == nil && !known {
		response, _, err = g.ask(request, root+"/apis/registry/v2/ids/globalIds/"+id, "dereference=true")
	}
	return response, err
}

// ask gives the answer as the compatible API would. known: the answer is the API's own; it may say that there is no such id.
func (g globalIDs) ask(request *http.Request, path, query string) (response *http.Response, known bool, err error) {
	own := request.Clone(request.Context())
	own.URL.Path, own.URL.RawPath, own.URL.RawQuery = path, "", query
	own.Header.Set("Accept", "*/*")
	if response, err = g.base.RoundTrip(own); err != nil {
		return nil, false, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	_ = response.Body.Close()
	if err != nil {
		return nil, false, fmt.Errorf("reading the answer: %w", err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		schema := map[string]string{"schema": string(body)}
		if kind := response.Header.Get("X-Registry-ArtifactType"); kind != "" {
			schema["schemaType"] = kind
		} else if strings.Contains(response.Header.Get("Content-Type"), "protobuf") {
			schema["schemaType"] = "PROTOBUF"
		}
		body, err = json.Marshal(schema)
		known = true
	case http.StatusNotFound:
		body, known = notFound(body)
		if !known {
			response.Header.Set("Content-Type", "not Apicurio's")
		}
	default:
		known = true
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, known, err
}

// notFound gives an answer that says that an id does not exist as the compatible API's. Any other says only that the server has no such address.
func notFound(body []byte) (answer []byte, known bool) {
	var told struct {
		Name, Title, Message string
	}
	if json.Unmarshal(body, &told) != nil || told.Name != "VersionNotFoundException" && told.Name != "ArtifactNotFoundException" {
		return nil, false
	}
	answer, err := json.Marshal(map[string]any{"error_code": 40403, "message": told.Title + told.Message})
	return answer, err == nil
}
