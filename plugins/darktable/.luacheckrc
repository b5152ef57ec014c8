std = "lua54+busted"
max_line_length = 120
ignore = { "212/self" }
