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

// sdkLogger passes on what the SDK warns of; it would write plain lines between ours. It warns of
// each request and each object anew, as of content without a checksum, so the first warning of a
// kind is one, and the others are debug lines, as are those about requests.
func sdkLogger(logger *slog.Logger) logging.Logger {
	var warned sync.Map // by format
	return logging.LoggerFunc(func(class logging.Classification, format string, v ...any) {
		if class == logging.Warn && strings.HasPrefix(format, fellBack) {
			if _, again := warned.LoadOrStore(format, true); !again {
				logger.Warn("instance metadata refused IMDSv2, credentials are read with IMDSv1", "err", briefly(v))
			}
			return
		}
		level := slog.LevelDebug
		if class == logging.Warn {
			if _, again := warned.LoadOrStore(format, true); !again {
				level = slog.LevelWarn
			}
		}
		logger.Log(context.Background(), level, "aws sdk said", "text", fmt.Sprintf(format, v...))
	})
}

// fellBack is how the SDK begins to say that instance metadata gave no token. It does so for each
// renewal.
const fellBack = "falling back to IMDSv1"

// briefly is what an error among the words of the SDK comes to.
func briefly(words []any) string {
	for _, word := range words {
		if err, ok := word.(error); ok {
			return awserr.Brief(err)
		}
	}
	return strings.TrimSpace(fmt.Sprintln(words...))
}
