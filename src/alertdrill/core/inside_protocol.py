"""What an app or a proxy of its own and the controller of a drill agree on. All import it, so it imports nothing."""

TOKEN_VARIABLE = "ALERTDRILL_INSIDE_TOKEN"
SHORTEST_TOKEN = 16
PREFIX = "/.alertdrill/"
TOKEN_HEADER = "x-alertdrill-token"
LEASE_HEADER = "x-alertdrill-lease"
AFTER_HEADER = "x-alertdrill-after"
PLACE_HEADER = "x-alertdrill-place"
SHORTEST_LEASE_S, LONGEST_LEASE_S = 0.1, 60.0
