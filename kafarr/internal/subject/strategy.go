// Package subject chooses the schemas that rows are written with: by what the caller gives, or by the subjects of a registry.
package subject

// Strategy says under which subject the schema of a message is registered.
type Strategy int

const (
	// Topic is "<topic>-value", or "<topic>-key".
	Topic Strategy = iota
	// Record is the full name of the message type.
	Record
	// TopicRecord is "<topic>-<full name>".
	TopicRecord
)

// Of names the subject. Names of records are the same for values and keys, as Confluent's clients have them.
func (s Strategy) Of(topic, messageType string, isKey bool) string {
	switch {
	case s == Record:
		return messageType
	case s == TopicRecord:
		return topic + "-" + messageType
	case isKey:
		return topic + "-key"
	}
	return topic + "-value"
}
