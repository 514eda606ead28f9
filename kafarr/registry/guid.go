package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rest"
)

// ByGUID is what registries have besides that find schemas by GUID, which names a schema the same way in every
// registry that holds it, where ids differ.
type ByGUID interface {
	// SchemaByGUID takes 8-4-4-4-12 hexadecimal digits. The schema's ID is -1: answers do not tell it.
	SchemaByGUID(ctx context.Context, guid string) (Schema, error)
}

var guidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// name is what a schema is asked for by: its GUID or, where that is empty, its id.
type name struct {
	id   int // -1 with a GUID
	guid string
}

func parseGUID(text string) (name, error) {
	n := name{id: -1, guid: strings.ToLower(text)}
	if !guidForm.MatchString(n.guid) { // it becomes a part of a URL
		return n, fmt.Errorf("%q has not the form of a GUID", clean(text))
	}
	return n, nil
}

// names reports whether a version of a subject is the schema of this name; registries that know no GUIDs send none.
func (n name) names(found schemaregistry.SchemaMetadata) bool {
	if n.guid != "" {
		return strings.EqualFold(found.GUID, n.guid)
	}
	return found.ID == n.id
}

// failed is the error of a look-up by this name.
func (n name) failed(kind Kind, url string, cause error) *Error {
	if n.guid != "" {
		cause = fmt.Errorf("schema %s: %w", n.guid, cause)
	}
	return &Error{Kind: kind, ID: n.id, URL: url, Err: cause}
}

// SchemaByGUID is SchemaByID with another name for the schema.
func (c *confluent) SchemaByGUID(ctx context.Context, guid string) (Schema, error) {
	n, err := parseGUID(guid)
	if err != nil {
		return Schema{}, &Error{Kind: Invalid, ID: -1, URL: c.url, Err: err}
	}
	return c.byName(ctx, n)
}

// noSuchAddress distinguishes a 404 of a gateway, of another server or of a registry without this path from the 404 of a registry that does not know the schema (404xx).
func noSuchAddress(err error) bool {
	var answer *rest.Error
	return errors.As(err, &answer) && answer.Code/100 != http.StatusNotFound
}

// elsewhere is the failure of a look-up whose answer says nothing about the schema: that it does not exist would pass its rows over.
func (n name) elsewhere(kind Kind, cause error) (Kind, error) {
	switch {
	case kind != NotFound:
		return kind, cause
	case n.guid != "":
		return kind, fmt.Errorf("%w: does this registry find schemas by GUID?", cause)
	}
	return Unavailable, fmt.Errorf("%w: that is no answer of a schema registry about an id: is the URL right?", cause)
}
