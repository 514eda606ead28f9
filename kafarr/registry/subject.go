package registry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rest"
)

// Reference says where a type is registered that a schema refers to by its name.
type Reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// Definition is a schema as it is registered: a text, and the places of what it refers to.
type Definition struct {
	Type       string // as Schema.Type; empty: "AVRO"
	Text       string
	References []Reference
}

// Version is a schema as one of the versions of a subject.
type Version struct {
	Schema
	Subject string
	Number  int    // 0: the registry's answer does not tell it
	GUID    string // empty: the registry knows none
}

// Versions is what registries have besides that find and take schemas under subjects, as producers need them. The methods ask each time. A subject or a version that does not exist is
// an *Error of kind NotFound.
type Versions interface {
	// VersionOf returns a version of a subject; 0: the latest.
	VersionOf(ctx context.Context, subject string, version int) (Version, error)
	// VersionNumbers returns the numbers of the versions of a subject, the oldest first.
	VersionNumbers(ctx context.Context, subject string) ([]int, error)
	// Find returns the version of a subject that a schema is registered as.
	Find(ctx context.Context, subject string, d Definition) (Version, error)
	// Register registers a schema, which may be registered already. A schema that the registry does not take is an *Error of kind Invalid, which has its whole answer.
	Register(ctx context.Context, subject string, d Definition) (Version, error)
	// Complete returns a schema that is not registered, with the texts of what it refers to.
	Complete(ctx context.Context, d Definition) (Schema, error)
}

// VersionOf implements Versions.
func (c *confluent) VersionOf(ctx context.Context, subject string, version int) (Version, error) {
	var found Version
	err := c.ask(ctx, subject, func(l *lookup) error {
		var answer schemaregistry.SchemaMetadata
		var err error
		if version == 0 {
			answer, err = l.client.GetLatestSchemaMetadata(subject)
		} else {
			answer, err = l.client.GetSchemaMetadata(subject, version)
		}
		if err != nil {
			return err
		}
		found, err = l.version(answer)
		found.Subject = subject
		return err
	})
	return found, err
}

// VersionNumbers implements Versions.
func (c *confluent) VersionNumbers(ctx context.Context, subject string) ([]int, error) {
	var numbers []int
	err := c.ask(ctx, subject, func(l *lookup) error {
		var err error
		numbers, err = l.client.GetAllVersions(subject)
		return err
	})
	return numbers, err
}

// Find implements Versions.
func (c *confluent) Find(ctx context.Context, subject string, d Definition) (Version, error) {
	var found Version
	err := c.ask(ctx, subject, func(l *lookup) error {
		answer, err := l.client.GetIDFullResponse(subject, d.info(), false)
		if err != nil {
			return err
		}
		answer.SchemaInfo = d.info() // the caller's own text: the registry may have it with other white space
		found, err = l.version(answer)
		found.Subject = subject
		return err
	})
	return found, err
}

// Register implements Versions.
func (c *confluent) Register(ctx context.Context, subject string, d Definition) (Version, error) {
	var found Version
	err := c.ask(ctx, subject, func(l *lookup) error {
		answer, err := l.client.RegisterFullResponse(subject, d.info(), false)
		if err != nil {
			return err
		}
		answer.SchemaInfo = d.info() // which older registries leave out of their answers
		found, err = l.version(answer)
		found.Subject = subject
		return err
	})
	return found, err
}

// Complete implements Versions.
func (c *confluent) Complete(ctx context.Context, d Definition) (Schema, error) {
	var found Schema
	err := c.ask(ctx, "", func(l *lookup) error {
		l.root = name{id: -1}
		var err error
		found, err = l.complete(d.info())
		return err
	})
	return found, err
}

// version fetches what a version refers to.
func (l *lookup) version(answer schemaregistry.SchemaMetadata) (Version, error) {
	if answer.ID < 1 || answer.ID > math.MaxInt32 { // which messages could not name
		return Version{}, &invalidAnswer{fmt.Errorf("the answer has no schema id: %d is none, which is a whole number from 1 to %d", answer.ID, math.MaxInt32)}
	}
	l.root = name{id: answer.ID}
	schema, err := l.complete(answer.SchemaInfo)
	return Version{Schema: schema, Number: answer.Version, GUID: answer.GUID}, err
}

// info is a definition as the client has it. Registries take AVRO for what says no type, and some know no other word for it.
func (d *Definition) info() schemaregistry.SchemaInfo {
	info := schemaregistry.SchemaInfo{Schema: d.Text, SchemaType: d.Type}
	if info.SchemaType == "" {
		info.SchemaType = "AVRO"
	}
	for _, r := range d.References {
		info.References = append(info.References, schemaregistry.Reference{Name: r.Name, Subject: r.Subject, Version: r.Version})
	}
	return info
}

// ask asks the registry about a subject, through a client of its own. It ends with ctx.
func (c *confluent) ask(ctx context.Context, subject string, question func(*lookup) error) error {
	ctx, cancel := context.WithTimeout(ctx, maxLookup)
	defer cancel()
	closed := context.AfterFunc(c.alive, cancel)
	defer closed()
	l, err := newLookup(ctx, c.config, c.requests)
	if err == nil {
		defer c.transport.CloseIdleConnections()
		if err = question(l); err == nil {
			return nil
		}
	}
	kind, cause := judge(err, l.exchange)
	if refusal := refusalOf(err, l.exchange); refusal != nil {
		kind, cause = Invalid, refusal
	}
	if subject != "" {
		cause = fmt.Errorf("subject %s: %w", clean(subject), cause)
	}
	return &Error{Kind: kind, ID: -1, URL: c.url, Err: c.secrets.Error(cause)}
}

// refusalOf is the answer of a registry that does not take a schema, with all that it says about compatibility; nil: the failure is another one.
func refusalOf(err error, last *exchange) error {
	var answer *rest.Error
	if !errors.As(err, &answer) || last.status != http.StatusConflict && last.status != http.StatusUnprocessableEntity {
		return nil
	}
	return fmt.Errorf("%d: %s (error code %d)", last.status, oneLine(answer.Message, 3000), answer.Code)
}
