package cluster

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
)

// logger passes the client's log lines on, without secrets.
type logger struct {
	s        *Settings
	facility string
	log      func(level int, facility, message string)
}

// Level implements kgo.Logger: log_level, which is syslog's, and debug.
func (l logger) Level() kgo.LogLevel {
	switch level := l.s.logLevel; {
	case l.s.debug != "" || level >= 7:
		return kgo.LogLevelDebug
	case level >= 5:
		return kgo.LogLevelInfo
	case level == 4:
		return kgo.LogLevelWarn
	}
	return kgo.LogLevelError
}

// Log implements kgo.Logger; levels become syslog's.
func (l logger) Log(level kgo.LogLevel, message string, keyvals ...any) {
	var text strings.Builder
	text.WriteString(message)
	for i := 0; i+1 < len(keyvals); i += 2 {
		fmt.Fprintf(&text, " %v=%v", keyvals[i], keyvals[i+1])
	}
	severity := map[kgo.LogLevel]int{kgo.LogLevelError: 3, kgo.LogLevelWarn: 4, kgo.LogLevelInfo: 6, kgo.LogLevelDebug: 7}[level]
	_ = async.Catch(func() { l.log(severity, l.facility, l.s.Secrets.Text(text.String())) }) // in a goroutine of the client's, a panic would end the process
}
