package registry

import (
	"context"
	"fmt"
)

// Subjects is what registries have besides that know which schema of a subject was registered last.
type Subjects interface {
	// LatestSchema asks each time. A subject that does not exist is an *Error of kind NotFound.
	LatestSchema(ctx context.Context, subject string) (Schema, error)
}

// LatestSchema implements Subjects. It ends with ctx.
func (c *confluent) LatestSchema(ctx context.Context, subject string) (Schema, error) {
	ctx, cancel := context.WithTimeout(ctx, maxLookup)
	defer cancel()
	closed := context.AfterFunc(c.alive, cancel)
	defer closed()
	l, err := newLookup(ctx, c.config, c.requests)
	if err == nil {
		defer c.transport.CloseIdleConnections()
		var schema Schema
		if schema, err = l.latest(subject); err == nil {
			return schema, nil
		}
	}
	kind, cause := judge(err, l.exchange)
	return Schema{}, &Error{Kind: kind, ID: -1, URL: c.url, Err: c.secrets.Error(fmt.Errorf("subject %s: %w", clean(subject), cause))}
}

// latest fetches the newest version of a subject with what it refers to.
func (l *lookup) latest(subject string) (Schema, error) {
	found, err := l.client.GetLatestSchemaMetadata(subject)
	if err != nil {
		return Schema{}, err
	}
	l.root = name{id: found.ID}
	return l.complete(found.SchemaInfo)
}
