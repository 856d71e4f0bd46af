package picture_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"craftista/product/internal/picture"
	"craftista/shared/fault"
	"craftista/shared/waittest"
)

// slow is a kind of photo whose decoding ends when the test says so. It goes by the
// name of one that is accepted.
type slow struct {
	running, peak atomic.Int64
	leave         chan struct{} // one decoding ends for each
}

// newSlow registers photos that begin with the magic.
func newSlow(magic string, width, height int) *slow {
	s := &slow{leave: make(chan struct{})}
	image.RegisterFormat("webp", magic, s.decode, func(io.Reader) (image.Config, error) {
		return image.Config{ColorModel: color.NRGBAModel, Width: width, Height: height}, nil
	})
	return s
}

func (s *slow) decode(io.Reader) (image.Image, error) {
	s.running.Add(1)
	for now := s.running.Load(); ; {
		if peak := s.peak.Load(); now <= peak || s.peak.CompareAndSwap(peak, now) {
			break
		}
	}
	<-s.leave
	s.running.Add(-1)
	return image.NewGray(image.Rect(0, 0, 2, 2)), nil
}

// upload is Enter and Clean.
func upload(ctx context.Context, p *picture.Photos, body string) error {
	leave, err := p.Enter()
	if err != nil {
		return err
	}
	defer leave()
	_, err = p.Clean(ctx, []byte(body))
	return err
}

// TestDecodingIsBounded: there is one decoder for each core, and fewer where photos are large;
// some uploads wait, and the others are told to come back.
func TestDecodingIsBounded(t *testing.T) {
	t.Parallel()
	const cores, places = 3, 8
	for name, row := range map[string]struct {
		photos *slow
		want   int64
	}{
		"SMALL": {newSlow("SMALL", 2, 2), cores},
		"LARGE": {newSlow("LARGE", 5000, 10_000), 1},
		"HALF.": {newSlow("HALF.", 5000, 9000), 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := picture.NewPhotos(cores)
			var all sync.WaitGroup
			for range places {
				all.Go(func() {
					if err := upload(t.Context(), p, name); err != nil {
						t.Error(err)
					}
				})
			}
			waittest.Until(t, "all decoders are busy", func() bool { return row.photos.running.Load() == row.want })
			waittest.Until(t, "all places are taken", func() bool { return isBusy(t, upload(t.Context(), p, "")) })
			for range places {
				row.photos.leave <- struct{}{}
			}
			all.Wait()
			if peak := row.photos.peak.Load(); peak != row.want {
				t.Errorf("%d were decoded at once, want %d", peak, row.want)
			}
			if err := upload(t.Context(), p, ""); isBusy(t, err) {
				t.Error("is busy after all have left")
			}
		})
	}
}

// isBusy reports whether an upload was turned away, with a time to come back.
func isBusy(t *testing.T, err error) bool {
	t.Helper()
	f, _ := errors.AsType[*fault.Error](err)
	if f == nil || f.Kind != fault.Unavailable {
		return false
	}
	if f.RetryAfter <= 0 {
		t.Error("does not say when to try again")
	}
	return true
}

// TestWaitingForADecoderEnds with the request.
func TestWaitingForADecoderEnds(t *testing.T) {
	t.Parallel()
	photos, p := newSlow("STUCK", 2, 2), picture.NewPhotos(1)
	var first sync.WaitGroup
	first.Go(func() { _ = upload(t.Context(), p, "STUCK") })
	waittest.Until(t, "the decoder is busy", func() bool { return photos.running.Load() == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := upload(ctx, p, "STUCK"); !isBusy(t, err) {
		t.Errorf("got %v, want to be told that it is busy", err)
	}
	close(photos.leave)
	first.Wait()
}
