package clientlog_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/internal/clientlog"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

func to(out *bytes.Buffer) *clientlog.Log {
	return clientlog.New(slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})))
}

func TestLinesOfAClientThatDifferInANumberArePassedOnOnce(t *testing.T) {
	var out bytes.Buffer
	log := to(&out)
	for n := range 50 {
		log.Client(3, "FAIL", fmt.Sprintf("broker %d is down", n))
	}
	log.Client(3, "FAIL", "the broker is back")
	log.Client(3, "OTHER", "broker 1 is down")
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines, want 3:\n%s", n, &out)
	}
}

func TestEachWarningIsPassedOn(t *testing.T) {
	var out bytes.Buffer
	log := to(&out)
	for n := range 3 {
		log.Warn("OFFSETS", fmt.Sprintf("offset %d is not in the log", n))
	}
	if n := strings.Count(out.String(), "level=WARN"); n != 3 {
		t.Errorf("%d lines, want 3:\n%s", n, &out)
	}
}

func TestLevelsAreThoseOfSyslog(t *testing.T) {
	for level, want := range []string{"ERROR", "ERROR", "ERROR", "ERROR", "WARN", "INFO", "INFO", "DEBUG"} {
		var out bytes.Buffer
		to(&out).Client(level, "X", "text")
		if !strings.Contains(out.String(), "level="+want+" ") {
			t.Errorf("level %d: %s", level, &out)
		}
	}
}

func TestManyDifferentLinesAreNotAllRemembered(t *testing.T) {
	var out bytes.Buffer
	log := to(&out)
	for n := range 3000 {
		log.Client(6, strings.Repeat("x", n), "text")
	}
	if n := strings.Count(out.String(), "\n"); n != 3000 {
		t.Errorf("%d lines, want 3000", n)
	}
}

func TestWithoutALoggerNothingIsWritten(t *testing.T) {
	log := clientlog.New(nil)
	log.Client(3, "FAIL", "text")
	log.Assignment("assigned", []source.Position{{Topic: "t"}})
}
