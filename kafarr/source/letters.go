package source

// Letter is a message for a dead-letter topic. Its memory is its own.
type Letter struct {
	Key, Value []byte // nil: null
	Timestamp  int64  // milliseconds since 1970; 0: none
	Headers    []LetterHeader
}

// LetterHeader is a header of a letter.
type LetterHeader struct {
	Name  string
	Value []byte // nil: null
}

// DeadLetters writes letters to a topic.
type DeadLetters interface {
	// Write hands a letter over and does not wait. done is told once, from whatever goroutine, and perhaps before Write returns, that the brokers have it
	// or why they will not.
	Write(letter *Letter, done func(error))
	// Close gives up the letters that are on their way, whose done is then never called.
	Close()
}
