package picture_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"craftista/product/internal/picture"
	"craftista/shared/fault"
)

// slow is a kind of photo whose decoding ends when the test says so. It goes by the
// name of one that is accepted.
type slow struct {
	body          string // of such a photo
	running, peak atomic.Int64
	leave         chan struct{} // one decoding ends for each
}

var kinds atomic.Int64 // of slow photos

// newSlow registers one of that size, for the bubble that the test is in.
func newSlow(width, height int) *slow {
	s := &slow{body: fmt.Sprintf("SLOW%08d", kinds.Add(1)), leave: make(chan struct{})}
	image.RegisterFormat("webp", s.body, s.decode, func(io.Reader) (image.Config, error) {
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
		width, height int
		want          int64
	}{
		"small":                    {2, 2, cores},
		"half of memory":           {5000, 9000, 2},
		"more than half of memory": {5000, 10_000, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				photos, p := newSlow(row.width, row.height), picture.NewPhotos(cores)
				var all sync.WaitGroup
				for range places {
					all.Go(func() {
						if err := upload(t.Context(), p, photos.body); err != nil {
							t.Error(err)
						}
					})
				}
				synctest.Wait() // all decoders are busy, and all places are taken
				if running := photos.running.Load(); running != row.want {
					t.Errorf("%d are decoded, want %d", running, row.want)
				}
				if err := upload(t.Context(), p, ""); !isBusy(t, err) {
					t.Errorf("got %v for one more, want to be told that it is busy", err)
				}
				for range places {
					photos.leave <- struct{}{}
				}
				all.Wait()
				if peak := photos.peak.Load(); peak != row.want {
					t.Errorf("%d were decoded at once, want %d", peak, row.want)
				}
				if err := upload(t.Context(), p, ""); isBusy(t, err) {
					t.Error("is busy after all have left")
				}
			})
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

// TestWaitingForADecoderEnds with the request, and after a time in any case.
func TestWaitingForADecoderEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		photos, p := newSlow(2, 2), picture.NewPhotos(1)
		var first sync.WaitGroup
		first.Go(func() { _ = upload(t.Context(), p, photos.body) })
		synctest.Wait() // the decoder is busy
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for _, row := range []struct {
			ctx         context.Context
			least, most time.Duration
		}{{ended, 0, 0}, {t.Context(), time.Second, 50 * time.Second}} { // the site gives up after a minute
			began := time.Now()
			if err := upload(row.ctx, p, photos.body); !isBusy(t, err) {
				t.Errorf("got %v, want to be told that it is busy", err)
			}
			if took := time.Since(began); took < row.least || took > row.most {
				t.Errorf("waited for %v, want %v to %v", took, row.least, row.most)
			}
		}
		close(photos.leave)
		first.Wait()
	})
}
