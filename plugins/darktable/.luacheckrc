std = "lua54+busted"
max_line_length = 125
ignore = { "212/self" }
