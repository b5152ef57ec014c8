-- What tests ask of a running darktable: each function is used by the scripts that they hand to it.
local dt = require "darktable"

local M = {}

-- Wait until `holds()`, no longer than `seconds`.
function M.wait(holds, seconds, what)
  local waited = 0
  while not holds() do
    if waited > seconds * 1000 then error("not seen: " .. what) end
    dt.control.sleep(50)
    waited = waited + 50
  end
end

-- Import a folder of which `count` photos are new.
function M.import(folder, count)
  local before = #dt.database
  dt.database.import(folder)
  M.wait(function() return #dt.database >= before + count end, 100, "all photos of " .. folder)
end

function M.photo(name)
  for i = 1, #dt.database do
    if dt.database[i].filename == name then return dt.database[i] end
  end
  error("no such photo: " .. name)
end

function M.style(name)
  for i = 1, #dt.styles do
    if dt.styles[i].name == name then return dt.styles[i] end
  end
  error("no such style: " .. name)
end

function M.exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

function M.contains(path, text)
  local file = io.open(path)
  if not file then return false end
  local content = file:read("a")
  file:close()
  return content:find(text, 1, true) ~= nil
end

-- Run `work`, write what went wrong, or nothing, into `report`, and quit.
function M.run(report, work)
  dt.control.dispatch(function()
    local well, message = xpcall(work, debug.traceback)
    -- Since 5.0 it writes sidecars a while after a change, and not at all where it quits before.
    if dt.configuration.api_version_minor >= 4 then dt.control.sleep(3000) end
    local file = io.open(report, "w")
    file:write(well and "" or message)
    file:close()
    dt.gui.action("global/quit", 0, "", "", 1.0)
  end)
end

return M
