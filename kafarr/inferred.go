package kafarr

import "github.com/pykafarr/pykafarr/kafarr/internal/schema"

// InferredSchema is the text of the schema that was inferred of the first messages of a topic (Messages.Schemas), which GivenSchema takes; empty: there was no message with a value yet, or
// the schemas of values are not inferred.
func (l *Listener) InferredSchema(topic string) (string, error) {
	return l.inferredBy(l.schemas.Values, topic)
}

// InferredKeySchema is that of the topic's keys (Messages.KeySchemas).
func (l *Listener) InferredKeySchema(topic string) (string, error) {
	if l.schemas.Keys == nil {
		return "", nil
	}
	return l.inferredBy(l.schemas.Keys, topic)
}

func (l *Listener) inferredBy(r *schema.Resolver, topic string) (string, error) {
	if err := l.life.lock(leaving); err != nil {
		return "", err
	}
	defer l.life.unlock()
	return r.Inferred(topic), nil
}
