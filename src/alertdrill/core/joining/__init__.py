"""How a model is joined: what documents about it, and rows of it, say of its endpoint. Pure."""
