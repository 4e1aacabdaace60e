package provider

import (
	"context"
	"io"
	"log/slog"
)

// lineHandler writes one line a record to stderr, with the priority that journald and the broker read where prefixed.
type lineHandler struct {
	errors, warnings, infos, debugs slog.Handler
}

func newLineHandler(to io.Writer, prefixed bool) slog.Handler {
	made := func(prefix string) slog.Handler {
		if !prefixed {
			prefix = ""
		}
		return slog.NewTextHandler(prefixWriter{to, prefix}, &slog.HandlerOptions{ReplaceAttr: withoutTime})
	}
	return &lineHandler{errors: made("<3>"), warnings: made("<4>"), infos: made("<6>"), debugs: made("<7>")}
}

func withoutTime(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 && attr.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attr
}

func (h *lineHandler) at(level slog.Level) slog.Handler {
	switch {
	case level >= slog.LevelError:
		return h.errors
	case level >= slog.LevelWarn:
		return h.warnings
	case level >= slog.LevelInfo:
		return h.infos
	}
	return h.debugs
}

// Enabled tells whether records of a level are written.
func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle writes a record.
func (h *lineHandler) Handle(ctx context.Context, record slog.Record) error {
	return h.at(record.Level).Handle(ctx, record)
}

// WithAttrs adds to every record.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithAttrs(attrs) })
}

// WithGroup names what follows.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithGroup(name) })
}

func (h *lineHandler) each(change func(slog.Handler) slog.Handler) slog.Handler {
	return &lineHandler{change(h.errors), change(h.warnings), change(h.infos), change(h.debugs)}
}

type prefixWriter struct {
	to     io.Writer
	prefix string
}

// Write gets whole lines.
func (w prefixWriter) Write(line []byte) (int, error) {
	_, err := w.to.Write(append([]byte(w.prefix), line...))
	return len(line), err
}
