-- What darktable's script_manager does with a script, by its own rules: which files it takes for scripts, what it reads
-- from their text, and how it starts and stops them. It is written after darktable-org/lua-scripts, of which it holds
-- nothing; see `tests/apps/test_darktable_lighttable.py`.
local dt = require "darktable"

local M = { scripts = {} }

local FOLDER = dt.configuration.config_dir .. "/lua/"

local function content_of(path)
  local file = assert(io.open(path))
  local content = file:read("a")
  file:close()
  return content
end

-- What stands in `script_data.metadata`: it is read from the text, line by line, since a script may be off.
local function metadata_in(content)
  local block = content:match("script_data%.metadata = {\r?\n(.-)\r?\n}")
  local found = {}
  for line in (block or ""):gmatch("[^\n]+") do
    local name, value = line:match("^%s*(%w+) = (.-),?%s*$")
    found[name or line] = value and (value:match("_%((.+)%)") or value):gsub("[\"']", "") or nil
  end
  return found
end

-- A script for every Lua file, but for libraries, plugins and what git keeps.
local function scan()
  local files = io.popen("find -L '" .. FOLDER .. "' -name '*.lua' | sort")
  for file in files:lines() do
    local name = file:sub(#FOLDER + 1, -5)
    if not (name:find("script_manager") or name:find("plugins") or name:find("lib/") or name:find("%.git")) then
      local content = content_of(file)
      table.insert(M.scripts, {
        name = name,
        -- the second comment
        documentation = content:match("%-%-%[%[.-%]%].-%-%-%[%[(.-)%]%]"),
        metadata = metadata_in(content),
        is_running = false,
      })
    end
  end
  files:close()
end

function M.start(script)
  if script.is_running == "hidden" then
    script.data.restart()
  else
    local well, data = pcall(require, script.name)
    assert(well, data)
    script.data = data
    if data.destroy_method == "hide" and data.show then data.show() end
  end
  script.is_running = true
end

function M.stop(script)
  script.data.destroy()
  if script.data.destroy_method and script.data.destroy_method:find("hide") then
    script.is_running = "hidden"
  else
    package.loaded[script.name] = nil
    script.is_running = false
  end
end

scan()
return M
