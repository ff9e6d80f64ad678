package transfer

// Method is how the bytes of an object are copied from one place to another, and the setting that
// selects it.
type Method string

// The methods. Their texts are values of the setting copy.mode, and appear in output.
const (
	// Auto is a setting, not a way to copy. It selects ServerSide if that is possible, otherwise
	// Relay.
	Auto Method = "auto"
	// ServerSide means that the service copies, and no byte passes through this process.
	ServerSide Method = "server_side"
	// Relay means that this process reads the object with one role and writes it with another.
	Relay Method = "relay"
)

// MethodOf returns how objects are copied from source to destination. A server-side copy requires
// that one role can access both places, that both are at the same service, and that a source access
// point is in the destination's region.
func MethodOf(setting Method, source, destination Place) Method {
	switch {
	case setting == ServerSide, setting == Relay:
		return setting
	case source.Role != destination.Role, !source.SameService(destination), LeavesAccessPoint(source, destination):
		return Relay
	default:
		return ServerSide
	}
}

// LeavesAccessPoint reports whether the source is an access point in another region than the
// destination. S3 does not support such server-side copies ("Access point compatibility", Amazon S3
// User Guide).
func LeavesAccessPoint(source, destination Place) bool {
	return source.AccessPoint != "" && source.Region != destination.Region
}
