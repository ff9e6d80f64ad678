package s3

// EndBytes is how many bytes from the end of a record Open reads.
const EndBytes = endBytes

// LargeWrites is how many large records are written at once.
const LargeWrites = largeWrites
