package kafarr

// discard drops what was received of a partition and not handed over. l.polling is held.
func (l *Listener) discard(k partitionKey) {
	l.held.drop(k)
}
