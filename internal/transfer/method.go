package transfer

// Method is how the bytes of an object get from one place to another, and the setting that asks for
// it.
type Method string

// The methods. Their texts are those of the setting copy.mode and of what people are shown.
const (
	// Auto is a setting only: server-side where that is possible, else a relay.
	Auto Method = "auto"
	// ServerSide means that the service copies, and no byte passes through this process.
	ServerSide Method = "server_side"
	// Relay means that this process reads with one role and writes with another.
	Relay Method = "relay"
)

// MethodOf decides how objects move from one place to the other. The service copies by itself only
// for one principal that may read the source and write the destination, within one service, and
// from an access point within one region.
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

// LeavesAccessPoint reports whether a copy would go from an access point to another region, which
// S3 does not do by itself ("Access point compatibility", Amazon S3 User Guide).
func LeavesAccessPoint(source, destination Place) bool {
	return source.AccessPoint != "" && source.Region != destination.Region
}
