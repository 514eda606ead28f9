package registry

import "context"

// Subjects is what registries have besides that know which schema of a subject was registered last.
type Subjects interface {
	// LatestSchema asks each time. A subject that does not exist is an *Error of kind NotFound.
	LatestSchema(ctx context.Context, subject string) (Schema, error)
}

// LatestSchema implements Subjects. It ends with ctx.
func (c *confluent) LatestSchema(ctx context.Context, subject string) (Schema, error) {
	latest, err := c.VersionOf(ctx, subject, 0)
	return latest.Schema, err
}
