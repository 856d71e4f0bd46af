package card

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"image"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// resvgWASM is resvg, which draws SVG nearly as browsers do, in WebAssembly: what a stranger drew runs in a sandbox. It
// is index_bg.wasm of the npm package @resvg/resvg-wasm 2.6.2 (sources in github.com/thx/resvg-js), by brotli -q 11.
//
//go:embed resvg.wasm.br
var resvgWASM []byte

// The limits of one drawing. Most take 0.1 s and a few MiB; while memory grows, wazero has it twice.
const (
	maxTime   = 20 * time.Second
	maxMemory = 1024 // pages of 64 KiB
)

// program instantiates resvg, which is compiled once per process, in one or two seconds.
var program = sync.OnceValues(func() (func(context.Context) (api.Module, error), error) {
	code, err := io.ReadAll(brotli.NewReader(bytes.NewReader(resvgWASM)))
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(maxMemory).WithCloseOnContextDone(true)
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	compiled, err := runtime.CompileModule(ctx, code)
	if err != nil {
		return nil, err
	}
	host := runtime.NewHostModuleBuilder("wbg")
	for _, f := range compiled.ImportedFunctions() {
		_, name, _ := f.Import()
		host.NewFunctionBuilder().WithGoModuleFunction(imported(name), f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	_, err = host.Instantiate(ctx)
	return func(ctx context.Context) (api.Module, error) {
		return runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName(""))
	}, err
})

// exchange is what a drawing hands in and gets out, where a browser has values of JavaScript. Contexts carry it.
type exchange struct {
	svg, pixels []byte
	message     string // of an error
}

type exchangeKey struct{}

// imported is one of the functions that wasm-bindgen expects of JavaScript. Those that pass the drawing, the pixels and
// errors do it by the exchange. The others are about JavaScript's values, which here are all 0, and do nothing. Where a
// name ends with a hash, that tells functions of the same name apart.
func imported(name string) api.GoModuleFunc {
	return func(ctx context.Context, m api.Module, stack []uint64) {
		x := ctx.Value(exchangeKey{}).(*exchange)
		read := func(at, length uint64) []byte {
			view, _ := m.Memory().Read(api.DecodeU32(at), api.DecodeU32(length))
			return bytes.Clone(view)
		}
		switch {
		case name == "__wbindgen_string_get": // writes where the drawing is, and its length
			at := store(ctx, m, x.svg)
			m.Memory().WriteUint64Le(api.DecodeU32(stack[0]), at|uint64(len(x.svg))<<32)
		case strings.HasPrefix(name, "__wbg_instanceof_Uint8Array_"):
			stack[0] = 0 // false: the drawing is a string
		case strings.HasPrefix(name, "__wbg_newwithbyteoffsetandlength_"):
			x.pixels = read(stack[1], stack[2])
		case name == "__wbindgen_throw", name == "__wbindgen_string_new", name == "__wbg_new_28c511d9baebfa89": // errors
			x.message = string(read(stack[0], stack[1]))
		}
	}
}

// call calls a function of the module, whose result is 0 if it has none, and panics if that is over a limit or fails.
func call(ctx context.Context, m api.Module, name string, args ...uint64) uint64 {
	results, err := m.ExportedFunction(name).Call(ctx, args...)
	if err != nil {
		panic(err)
	}
	return append(results, 0)[0]
}

// store copies bytes into the module's memory.
func store(ctx context.Context, m api.Module, b []byte) (at uint64) {
	at = call(ctx, m, "__wbindgen_malloc", uint64(len(b)), 1)
	m.Memory().Write(api.DecodeU32(at), b)
	return at
}

// rasterise draws an SVG so that its longer side has so many pixels.
func rasterise(svg []byte, longer int) (drawn *image.RGBA, err error) {
	instantiate, err := program()
	if err != nil {
		return nil, fmt.Errorf("compile resvg: %w", err)
	}
	x := &exchange{svg: svg}
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), exchangeKey{}, x), maxTime)
	defer cancel()
	m, err := instantiate(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cause := recover(); cause != nil {
			drawn, err = nil, fmt.Errorf("resvg: %v", cause)
		}
		_ = m.Close(ctx)
	}()
	// try is for what leaves three words in a place of the stack: an object, an error, and whether it is the error.
	place := call(ctx, m, "__wbindgen_add_to_stack_pointer", math.MaxUint32-31) // down by 32 bytes
	try := func(name string, args ...uint64) (object uint64) {
		call(ctx, m, name, append([]uint64{place}, args...)...)
		if failed, _ := m.Memory().ReadUint32Le(api.DecodeU32(place) + 8); failed != 0 {
			panic(x.message)
		}
		at, _ := m.Memory().ReadUint32Le(api.DecodeU32(place))
		return uint64(at)
	}
	open := func(side string) (drawing uint64) {
		options := fmt.Sprintf(`{"fitTo": {"mode": %q, "value": %d}}`, side, longer)
		return try("resvg_new", 0, store(ctx, m, []byte(options)), uint64(len(options)), 0)
	}
	drawing := open("width")
	if api.DecodeF64(call(ctx, m, "resvg_height", drawing)) > api.DecodeF64(call(ctx, m, "resvg_width", drawing)) {
		call(ctx, m, "__wbg_resvg_free", drawing)
		drawing = open("height")
	}
	rendered := try("resvg_render", drawing)
	call(ctx, m, "renderedimage_pixels", rendered)
	width := api.DecodeU32(call(ctx, m, "renderedimage_width", rendered))
	height := api.DecodeU32(call(ctx, m, "renderedimage_height", rendered))
	return &image.RGBA{Pix: x.pixels, Stride: 4 * int(width), Rect: image.Rect(0, 0, int(width), int(height))}, nil
}
