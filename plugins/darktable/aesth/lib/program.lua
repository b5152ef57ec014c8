-- Running the program aesth: what it is given, what it prints, and how it is stopped. darktable stays usable meanwhile.

local dt = require "darktable"

local core = require(((...):match("^(.*[/.])") or "") .. "core")

local program = {}

local IS_WINDOWS = dt.configuration.running_os == "windows"

local function temporary(content)
  local path = os.tmpname()
  if IS_WINDOWS then path = string.format("%s\\aesth-%d", dt.configuration.tmp_dir, math.random(1 << 30)) end
  local file = assert(io.open(path, "wb"))
  assert(file:write(content or ""))
  assert(file:close())
  return path
end

local function content_of(path)
  local file = io.open(path, "rb")
  local content = file and file:read("a") or ""
  if file then file:close() end
  return content
end

-- Hand each line to `on_line` as soon as it is printed.
local function stream(command, on_line, stop)
  local pipe = assert(io.popen(command, "r"))
  pipe:setvbuf("no") -- or lines would wait in a buffer while darktable waits for more
  dt.control.read(pipe)
  local pid = math.tointeger(tonumber(pipe:read("l")))
  stop.kill = function()
    if pid then os.execute("kill " .. pid .. " 2>/dev/null") end
  end
  if stop.is_asked then stop.kill() end
  while not dt.control.ending do
    dt.control.read(pipe)
    local line = pipe:read("L")
    if not line then break end
    on_line(line)
  end
  if dt.control.ending then stop.kill() end
  stop.kill = nil
  local _, kind, code = pipe:close()
  return kind == "signal" and 128 + code or code
end

-- On Windows nothing can be read while it runs: the lines come at the end, and it cannot be stopped. Untested.
local function collect(words, list, complaints, on_line)
  local has_library, system = pcall(require, "lib/dtutils.system")
  if not has_library then
    return 127, "darktable's lua-scripts are needed on Windows; install them by its lua scripts installer"
  end
  local results = temporary()
  local code = system.windows_command(core.windows_command(words, list, complaints, results))
  for line in content_of(results):gmatch("[^\n]*\n") do on_line((line:gsub("\r\n$", "\n"))) end
  os.remove(results)
  return code
end

-- Run `words` over the photos `paths`, and hand each line that is printed to `on_line`.
-- `stop` gets a function `kill` while it runs, which asks the program to end; with `is_asked` it does at once.
-- Returns the exit code and the last thing that the program complained about, or nil.
function program.run(words, paths, on_line, stop)
  local list = temporary(#paths > 0 and table.concat(paths, "\0") .. "\0" or "")
  local complaints = temporary()
  local well, code, why = xpcall(function()
    if IS_WINDOWS then return collect(words, list, complaints, on_line) end
    return stream(core.command(words, list, complaints), on_line, stop)
  end, function(message) return message end)
  local complaint = core.complaint(content_of(complaints))
  os.remove(list)
  os.remove(complaints)
  if not well then
    if stop.kill then stop.kill() end
    error(code, 0)
  end
  return code, complaint or why
end

return program
