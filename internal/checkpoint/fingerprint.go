package checkpoint

// SetFingerprint decides what the passes that begin from now on are marked with. Settle makes it of the last generation's
// fingerprint, "" where there is none, and of the number that the next pass has; it is called at once.
func (l *Ledger) SetFingerprint(settle func(last string, pass int64) string) {
	l.calling.Lock()
	defer l.calling.Unlock()
	l.mu.Lock()
	last, pass := l.base().Fingerprint, l.newest+1
	l.mu.Unlock()
	l.options.Fingerprint = settle(last, pass)
}
