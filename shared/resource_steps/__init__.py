"""Steps with `resource`: the kinds that they may create, what their manifests may say, and the conditions of their end."""
