-- What the plugin remembers beside darktable's library, in two files: the scores that it knows, and its last run.
-- Both are tab-separated text, added to line by line, so that a crash costs the last line at most.

local folder_of_this = (...):match("^(.*[/.])") or ""
local core = require(folder_of_this .. "core")

local SCORES, RUN = "aesth scores 1\n", "aesth run 1\n"
local SCORE_FIELDS, CHANGE_FIELDS = 5, 6

local memory = {}
memory.__index = memory

local function lines_of(path, header)
  local file = io.open(path, "rb")
  local lines = {}
  if not file then return lines end
  if file:read("L") == header then
    for line in file:lines("L") do
      if line:sub(-1) == "\n" then lines[#lines + 1] = core.split(line) end
    end
  end
  file:close()
  return lines
end

local function key(path, version)
  return version .. "\t" .. path
end

-- Add a line to a file that begins with `header`, behind what a crash may have left of the last one.
local function add(path, header, text)
  local file, why = io.open(path, "a+b")
  if not file then return nil, why end
  if file:seek("end") == 0 then
    text = header .. text
  elseif file:seek("end", -1) and file:read(1) ~= "\n" then
    text = "\n" .. text
  end
  local done, complaint = file:write(text)
  local closed, complaint_of_end = file:close()
  return done and closed, complaint or complaint_of_end
end

-- The memory in the folder `folder`, which exists.
function memory.open(folder)
  local self = setmetatable({ scores = folder .. "/scores.tsv", run = folder .. "/last-run.tsv" }, memory)
  self.entries, self.by_path, self.is_begun = {}, {}, false
  local lines = lines_of(self.scores, SCORES)
  for _, fields in ipairs(lines) do self:note(fields) end
  local count = 0
  for _ in pairs(self.entries) do count = count + 1 end
  if #lines > 2 * count + 100 then self:rewrite() end
  return self
end

function memory:note(fields)
  if #fields ~= SCORE_FIELDS then return end
  local path, version, score, rating, model = table.unpack(fields)
  local entry = { score = tonumber(score), rating = math.tointeger(tonumber(rating)), model = model }
  self.entries[key(path, version)] = entry
  if entry.score then self.by_path[path] = entry end
end

-- Write the scores anew, without lines that later ones replace.
function memory:rewrite()
  local path = self.scores .. ".new"
  local file = io.open(path, "wb")
  if not file then return end
  local well = file:write(SCORES)
  for name, entry in pairs(self.entries) do
    local version, photo = name:match("^(.-)\t(.*)$")
    well = well and file:write(core.join({ photo, version, entry.score, entry.rating, entry.model }, SCORE_FIELDS))
  end
  if file:close() and well then os.rename(path, self.scores) else os.remove(path) end
end

-- What is known of a photo: score and model; nil if nothing is. Its versions share it.
function memory:of(path)
  return self.by_path[path]
end

-- The stars that we gave a version of a photo last, or nil.
function memory:ours(path, version)
  local entry = self.entries[key(path, version)]
  return entry and entry.rating
end

-- Remember a version's score, the stars that we gave it (nil: none), and the model. Raises where it cannot be written.
function memory:remember(path, version, score, rating, model)
  local old = self.entries[key(path, version)]
  if old and old.score == score and old.rating == rating and old.model == (model or "") then return end
  local line = core.join({ path, version, score and string.format("%.2f", score), rating, model }, SCORE_FIELDS)
  local done, why = add(self.scores, SCORES, line)
  if not done then error({ message = string.format("%s: %s", self.scores, why) }, 0) end
  self:note(core.split(line))
end

-- From here on, changes are those of a new run; the run before stays the last one until there is a change.
function memory:begin()
  self.is_begun = false
end

-- Write down, before it is made, that `what` of a version of a photo changes. Raises where that is not possible.
function memory:change(what, id, path, version, old, new)
  if not self.is_begun then os.remove(self.run) end
  local done, why = add(self.run, RUN, core.join({ what, id, path, version, old, new }, CHANGE_FIELDS))
  if not done then error({ message = string.format("%s: %s", self.run, why) }, 0) end
  self.is_begun = true
end

-- The changes of the last run, the last one first.
function memory:changes()
  local changes = {}
  for _, fields in ipairs(lines_of(self.run, RUN)) do
    if #fields == CHANGE_FIELDS then
      local what, id, path, version, old, new = table.unpack(fields)
      id = math.tointeger(tonumber(id))
      table.insert(changes, 1, { what = what, id = id, path = path, version = version, old = old, new = new })
    end
  end
  return changes
end

-- The last run has been taken back.
function memory:forget_run()
  self.is_begun = false
  os.remove(self.run)
end

return memory
