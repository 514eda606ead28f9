package kafarr

// InferredSchema is the text of the schema that was inferred of the first messages of a topic (Messages.Schemas), which GivenSchema takes; empty: there was no message with a value yet, or
// the schemas of values are not inferred.
func (l *Listener) InferredSchema(topic string) (string, error) {
	if err := l.life.lock(leaving); err != nil {
		return "", err
	}
	defer l.life.unlock()
	return l.schemas.Values.Inferred(topic), nil
}
