-- What tests ask of the plugin in a running darktable: its actions by their shortcuts, and what it says of them.
local dt = require "darktable"
local core = require "aesth/lib/core"
local runs = require "aesth/lib/runs"

local M = {}

local KEYS = {
  ["score"] = "F5",
  ["best first"] = "F6",
  ["best of each group"] = "F7",
  ["read ratings from sidecars"] = "F8",
  ["undo last run"] = "F9",
}

local said = {}

-- The panel comes a moment after darktable, and this must not be seen before.
local function has_panel() return (pcall(function() return dt.gui.libs["aesth"].visible end)) end
for _ = 1, 1000 do
  if has_panel() then break end
  dt.control.sleep(100)
end
dt.control.sleep(1000)
local show = runs.on_message
runs.on_message = function(text)
  show(text)
  said[#said + 1] = text
end

-- Leave a fact for the test: a name, and what was seen.
function M.note(name, ...)
  local texts = { name }
  for _, value in ipairs({ ... }) do texts[#texts + 1] = tostring(value) end
  M.facts:write(core.join(texts))
  M.facts:flush()
end

function M.wait_for(seconds, holds)
  local waited = 0
  while not holds() do
    if waited > seconds * 1000 then error("not seen; the plugin said: " .. table.concat(said, " | ")) end
    dt.control.sleep(20)
    waited = waited + 20
  end
end

-- What the plugin said last.
function M.said()
  return said[#said]
end

-- Start an action as its shortcut does; by the key that `plugin.py` gave it where darktable, since 4.4, lets no script
-- start what is a script's.
function M.start(action)
  if dt.configuration.api_version_minor == 0 then return dt.gui.action("lua/aesth: " .. action, 0, "", "", 1.0) end
  os.execute("xdotool mousemove 640 50 click 1 sleep 0.3 key " .. KEYS[action] .. " &") -- beside darktable's name
  dt.control.sleep(1000)
end

-- The same until it is over; returns what the plugin said. `turns` counts how often others had darktable meanwhile.
function M.run(action)
  local before = #said
  M.turns = 0
  M.start(action)
  M.wait_for(500, function()
    M.turns = M.turns + 1
    return #said > before and not runs.is_busy()
  end)
  return said[#said]
end

-- Wait for the end of a run that something else than a shortcut started; returns what the plugin said.
function M.said_after(start)
  local before = #said
  start()
  M.wait_for(100, function() return #said > before and not runs.is_busy() end)
  return said[#said]
end

-- What darktable keeps for its module `name`: functions that it calls for a script, and what is shown of them.
local function kept(name)
  return debug.getuservalue(dt.gui.libs[name], 1)
end

-- Whether the module "selected images" has our button for `action`.
function M.has_button(action)
  return kept("image").callbacks["aesth_" .. action] ~= nil
end

-- What that button does when it is pressed.
function M.press(action)
  return kept("image").callbacks["aesth_" .. action]("aesth_" .. action, dt.gui.selection())
end

-- What the image information shows in one of our lines.
function M.shown(label)
  return kept("metadata_view").values[label]
end

function M.xdotool(...)
  os.execute(table.concat({ "xdotool", ... }, " "))
end

function M.set(name, kind, value)
  dt.preferences.write("aesth", name, kind, value)
end

function M.select(...)
  local wanted, images = {}, {}
  for _, name in ipairs({ ... }) do wanted[name] = true end
  for i = 1, #dt.database do
    if wanted[dt.database[i].filename] then images[#images + 1] = dt.database[i] end
  end
  dt.gui.selection(images)
  dt.control.sleep(100)
end

-- Show one folder in the lighttable, and select nothing.
function M.show(folder)
  local rule = dt.gui.libs.collect.new_rule()
  rule.mode, rule.item, rule.data = "DT_LIB_COLLECT_MODE_AND", "DT_COLLECTION_PROP_FILMROLL", folder
  dt.gui.libs.collect.filter({ rule })
  dt.gui.selection({})
  dt.control.sleep(300)
end

-- Note what is seen of each photo in the lighttable, in its order: file name, version, stars, title.
function M.note_photos(name)
  for i = 1, #dt.collection do
    local image = dt.collection[i]
    M.note(name, image.filename, image.duplicate_index, image.rating, image.title)
  end
end

-- The photos in the order in which darktable shows them.
function M.order()
  local names = {}
  for i = 1, #dt.collection do names[i] = dt.collection[i].filename .. dt.collection[i].duplicate_index end
  return table.concat(names, "/")
end

-- Start an action, and wait until darktable shows another order, and goes on showing it.
function M.reorder(action)
  local before, last, still = M.order(), nil, 0
  M.start(action)
  M.wait_for(30, function()
    local now = M.order()
    still = now == last and still + 1 or 0
    last = now
    return now ~= before and still > 40
  end)
end

return M
