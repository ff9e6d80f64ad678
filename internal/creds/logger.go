package creds

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/aws/smithy-go/logging"

	"syncd/internal/awserr"
)

// sdkLogger returns a logger that sends the SDK's messages to logger; otherwise the SDK would write
// plain lines to standard error. The SDK repeats some warnings for each request or object, for
// example that content has no checksum. So only the first warning of a kind is logged as a warning.
// Its repetitions, and messages about requests, are logged at debug level.
func sdkLogger(logger *slog.Logger) logging.Logger {
	var warned sync.Map // by format
	return logging.LoggerFunc(func(class logging.Classification, format string, v ...any) {
		if class == logging.Warn && strings.HasPrefix(format, fellBack) {
			if _, again := warned.LoadOrStore(format, true); !again {
				logger.Warn("instance metadata refused IMDSv2, fell back to IMDSv1", "err", briefly(v))
			}
			return
		}
		level := slog.LevelDebug
		if class == logging.Warn {
			if _, again := warned.LoadOrStore(format, true); !again {
				level = slog.LevelWarn
			}
		}
		logger.Log(context.Background(), level, "aws sdk logged a message", "text", fmt.Sprintf(format, v...))
	})
}

// fellBack is the beginning of the SDK's message that instance metadata returned no token. The SDK
// logs it for each renewal.
const fellBack = "falling back to IMDSv1"

// briefly returns the brief text of the first error among the arguments of an SDK message, or all
// arguments if none is an error.
func briefly(words []any) string {
	for _, word := range words {
		if err, ok := word.(error); ok {
			return awserr.Brief(err)
		}
	}
	return strings.TrimSpace(fmt.Sprintln(words...))
}
