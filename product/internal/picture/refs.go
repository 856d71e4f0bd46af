package picture

// weigher counts what a renderer draws.
type weigher struct {
	byID   map[string]*node
	weight map[*node]int // 0 while it is being counted
}

// checkReferences follows every reference once.
func (p *parser) checkReferences(root *node) error {
	w := weigher{byID: p.byID, weight: map[*node]int{}}
	drawn, err := w.drawn(root)
	if err == nil && drawn > maxDrawn {
		err = refuse("must not draw more than %d elements by reference", maxDrawn)
	}
	return err
}

// drawn is how many elements n stands for: itself, its children and all that it
// refers to, but no more than one over the limit.
func (w weigher) drawn(n *node) (int, error) {
	if weight, ok := w.weight[n]; ok {
		if weight == 0 {
			return 0, refuse("must not refer in a circle (line %d)", n.line)
		}
		return weight, nil
	}
	w.weight[n] = 0
	next := n.children
	for _, id := range n.refers {
		target := w.byID[id]
		if target == nil {
			return 0, refuse("must not refer to %.40q, which is not in it (line %d)", "#"+id, n.line)
		}
		next = append(next[:len(next):len(next)], target)
	}
	total := 1
	for _, other := range next {
		weight, err := w.drawn(other)
		if err != nil {
			return 0, err
		}
		total = min(total+weight, maxDrawn+1)
	}
	w.weight[n] = total
	return total, nil
}
