// filled by the layer's first types
