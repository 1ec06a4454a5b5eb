internal import Glibc

func sine(_ radians: Double) -> Double { Glibc.sin(radians) }
func exponential(_ exponent: Double) -> Double { Glibc.exp(exponent) }
