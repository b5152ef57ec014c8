-- What the plugin reads and changes in darktable's library. Each change is written down before it is made, so that the
-- last run can be taken back.

local dt = require "darktable"

local library = {}

local SEPARATOR = dt.configuration.running_os == "windows" and "\\" or "/"
local COLOURS = { red = true, yellow = true, green = true, blue = true, purple = true }
local DESCENDING = 1
local TURN = { "lib/filtering/toggle/sort direction", "lib/filtering/sort direction" } -- of darktable 4.2, and of 5.0

-- Where a photo lies.
function library.path(image)
  return image.path .. SEPARATOR .. image.filename
end

-- The selected photos; all of the collection where none is selected.
function library.chosen()
  local images = dt.gui.selection()
  if #images == 0 then
    for i = 1, #dt.collection do images[i] = dt.collection[i] end
  end
  return images
end

-- The photos of a film roll: `ipairs` raises behind the last one.
function library.of_film(film)
  local images = {}
  for i = 1, #film do images[i] = film[i] end
  return images
end

-- Let darktable see to its windows.
function library.breathe()
  dt.control.sleep(1)
end

-- `images` by file: a list of { path, images }, in their order, and the same by path. Versions share a file.
function library.files(images)
  local files, by_path = {}, {}
  for _, image in ipairs(images) do
    local path = library.path(image)
    if not by_path[path] then
      by_path[path] = { path = path, images = {} }
      files[#files + 1] = by_path[path]
    end
    table.insert(by_path[path].images, image)
  end
  return files, by_path
end

-- Change the rating, title or a colour of a photo, unless it is that already; whether it changed.
function library.set(memory, image, what, new)
  local old = image[what]
  if old == new then return false end
  memory:change(what, image.id, library.path(image), image.duplicate_index, old, new)
  image[what] = new
  return true
end

-- Remember that we gave a photo `rating` for `score`; that, too, can be taken back.
function library.remember(memory, image, score, rating, model)
  local path, version = library.path(image), image.duplicate_index
  local ours = memory:ours(path, version)
  if rating ~= nil and ours ~= rating then memory:change("ours", image.id, path, version, ours, rating) end
  memory:remember(path, version, score, rating or ours, model)
end

-- Group photos, with `best` on top; whether anything changed.
function library.group(memory, images, best)
  local changed = false
  for _, image in ipairs(images) do
    if image.group_leader.id ~= best.id then
      memory:change("group", image.id, library.path(image), image.duplicate_index, image.group_leader.id, best.id)
      changed = true
    end
  end
  if not changed then return false end
  for _, image in ipairs(images) do
    if image.id ~= best.id then image:group_with(best) end
  end
  best:make_group_leader()
  return true
end

-- The photo that a change is about, also where the library was made anew since; nil if it is gone.
local function find(change)
  local function is_it(image)
    return image and library.path(image) == change.path and tostring(image.duplicate_index) == change.version
  end
  local known, image = pcall(dt.database.get_image, change.id)
  if known and is_it(image) then return image end
  for i = 1, #dt.films do
    local film = dt.films[i]
    if change.path:sub(1, #film.path + 1) == film.path .. SEPARATOR then
      for _, candidate in ipairs(library.of_film(film)) do
        if is_it(candidate) then return candidate end
      end
    end
  end
end

-- Take one change back, unless somebody changed it since; whether it was.
local function take_back(memory, change, image)
  if change.what == "ours" then
    local known = memory:of(change.path) or {}
    memory:remember(change.path, change.version, known.score, math.tointeger(tonumber(change.old)), known.model)
    return true
  end
  local now = image[change.what]
  if tostring(now) ~= change.new then return tostring(now) == change.old end
  if change.what == "rating" then
    image.rating = math.tointeger(tonumber(change.old))
  elseif change.what == "title" then
    image.title = change.old
  elseif COLOURS[change.what] then
    image[change.what] = change.old == "true"
  end
  return true
end

-- Photos leave the groups that we made, and join the ones where they were.
local function regroup(changes)
  local moved = {}
  for _, change in ipairs(changes) do
    local image = change.what == "group" and find(change)
    if image and tostring(image.group_leader.id) == change.new then
      image:group_with()
      moved[#moved + 1] = { image = image, leader = tonumber(change.old) }
    end
  end
  for _, move in ipairs(moved) do
    local known, leader = pcall(dt.database.get_image, move.leader)
    if known and leader and leader.id ~= move.image.id then
      move.image:group_with(leader)
      leader:make_group_leader()
    end
  end
end

-- Take the last run back. `on_change` is told after each change: its number, and how many there are.
-- Returns how many ratings and other marks have their old value again, how many were changed since and stay, and how
-- many belong to photos that are gone.
function library.undo(memory, on_change)
  local changes = memory:changes()
  local restored, stayed, gone = 0, 0, 0
  regroup(changes)
  for i, change in ipairs(changes) do
    local image = change.what ~= "group" and find(change)
    if change.what == "group" then
      restored = restored + 1
    elseif not image then
      gone = gone + (change.what == "ours" and 0 or 1)
    elseif take_back(memory, change, image) then
      restored = restored + (change.what == "ours" and 0 or 1)
    else
      stayed = stayed + 1
    end
    on_change(i, #changes)
  end
  memory:forget_run()
  return restored, stayed, gone
end

local function direction()
  return dt.preferences.read("darktable", "plugins/lighttable/filtering/sortorder0", "integer")
end

-- Sort the lighttable by `key`, the highest first; whether it is. The sorting before decides between equals.
local function sort(key)
  dt.gui.action("lib/filtering/sort order", 0, "selection", "item:" .. key, 1.0)
  dt.control.sleep(100)
  for _, turn in ipairs(TURN) do
    if direction() == DESCENDING then break end
    dt.gui.action(turn, 0, "", "toggle", 1.0)
    dt.control.sleep(100)
  end
  return direction() == DESCENDING
end

-- Sort by stars, and those of equal stars by the title, where scores are kept in titles. Returns whether the best are
-- first: 5.0 turns nothing around where its module "collection filters" is hidden.
function library.best_first(has_titles)
  if has_titles then sort("title") end
  return sort("rating")
end

-- Show only photos of `stars` and up, among those of the collection; all of them for nil.
function library.keep(stars)
  local collect = dt.gui.libs.collect
  local rules = {}
  for _, rule in ipairs(collect.filter()) do
    local is_ours = rule.item == "DT_COLLECTION_PROP_RATING" and rule.data:match("^>=%d$")
    if not is_ours then rules[#rules + 1] = rule end
  end
  if stars then
    local rule = collect.new_rule()
    rule.mode, rule.item, rule.data = "DT_LIB_COLLECT_MODE_AND", "DT_COLLECTION_PROP_RATING", ">=" .. stars
    rules[#rules + 1] = rule
  end
  collect.filter(rules)
end

return library
