package s3

// Lent returns how many bytes of a store's memory are in use by open chunks.
func Lent(s *Store) int64 {
	s.windows.mu.Lock()
	defer s.windows.mu.Unlock()
	return s.options.ReadMemory - s.windows.free
}

// LargeWrites is how many large records are written at once.
const LargeWrites = largeWrites
