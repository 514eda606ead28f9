//go:build race

package hostile

// slower is how many times as long code takes with the race detector.
const slower = 10
