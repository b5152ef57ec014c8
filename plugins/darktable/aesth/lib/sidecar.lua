-- Reading what XMP says of a photo's rating: pure functions over text. Nothing is ever written here.

local sidecar = {}

local RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
local XMP = "http://ns.adobe.com/xap/1.0"
local ACDSEE = "http://ns.acdsee.com/iptc/1.0"
local MICROSOFT = "http://ns.microsoft.com/photo/1.0"
local DIGIKAM = "http://www.digikam.org/ns/1.0"
local DARKTABLE = "http://darktable.sf.net"
local AESTH = "urn:aesth:xmp/1.0"

local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'" }
local DEEPEST = 200

-- Stop reading: the text is no whole XMP.
local function damaged(why)
  error({ damaged = why }, 0)
end

local function decode(text)
  return (text:gsub("&([^;]*);?", function(name)
    local decimal, hexadecimal = name:match("^#(%d+)$"), name:match("^#x(%x+)$")
    local code = tonumber(decimal) or tonumber(hexadecimal or "", 16)
    if code and code <= 0x10FFFF then return utf8.char(code) end
    return ENTITIES[name] or damaged("an unknown entity")
  end))
end

-- The attributes at `place`, as names -> values; then whether the element ends at once, and the place behind.
local function attributes(text, place)
  local found = {}
  while true do
    local _, last, name, quote = text:find("^%s+([^%s=/>\"'<]+)%s*=%s*([\"'])", place)
    if not name then break end
    local stop = text:find(quote, last + 1, true) or damaged("an attribute without an end")
    local value = text:sub(last + 1, stop - 1)
    if value:find("<", 1, true) or found[name] then damaged("an attribute that is not well formed") end
    found[name], place = decode(value), stop + 1
  end
  local _, last, slash = text:find("^%s*(/?)>", place)
  if not last then damaged("a tag that is not well formed") end
  return found, slash == "/", last + 1
end

-- `name` with the namespace in `scope` for its prefix, less a slash at the end, on which programs disagree.
local function expanded(name, scope, is_attribute)
  local prefix, rest = name:match("^([^:]+):(.+)$")
  local namespace
  if prefix then
    namespace = prefix == "xml" and "xml" or scope[prefix] or damaged("a prefix without a namespace")
  else
    namespace = is_attribute and "" or scope[""] or ""
  end
  return namespace:gsub("/$", "") .. " " .. (rest or name)
end

local function open(text, place, outer)
  local _, last, name = text:find("^<([^%s/>\"'<=]+)", place)
  if not name then damaged("a tag that is not well formed") end
  local raw, is_empty, after = attributes(text, last + 1)
  local scope = setmetatable({}, { __index = outer.scope })
  for key, value in pairs(raw) do
    local prefix = key == "xmlns" and "" or key:match("^xmlns:(.+)$")
    if prefix then scope[prefix] = value end
  end
  local element = { tag = name, scope = scope, outer = outer, depth = outer.depth + 1, values = {}, text = "" }
  if element.depth > DEEPEST then damaged("elements nested too deeply") end
  element.name = expanded(name, scope, false)
  for key, value in pairs(raw) do
    if not key:find("^xmlns") then element.values[expanded(key, scope, true)] = value end
  end
  return element, is_empty, after
end

-- Call `visit` with every element of `text` at its end: name, values (attributes), text, outer, has_children.
local function walk(text, visit)
  local root = { scope = {}, depth = 0, text = "", values = {} }
  local element, place, seen = root, 1, false

  local function close()
    visit(element)
    element.outer.has_children = true
    element = element.outer
  end

  while true do
    local start = text:find("<", place, true)
    local between = text:sub(place, (start or 0) - 1)
    if element == root and between:find("[^%s%z]") then damaged("text outside of elements") end
    element.text = element == root and "" or element.text .. decode(between)
    if not start then break end
    if text:sub(start, start + 3) == "<!--" then
      place = (select(2, text:find("-->", start + 4, true)) or damaged("a comment without an end")) + 1
    elseif text:sub(start, start + 8) == "<![CDATA[" and element ~= root then
      local _, stop = text:find("]]>", start + 9, true)
      element.text = element.text .. text:sub(start + 9, (stop or damaged("CDATA without an end")) - 3)
      place = stop + 1
    elseif text:sub(start, start + 1) == "<?" then
      place = (select(2, text:find("?>", start + 2, true)) or damaged("an instruction without an end")) + 1
    elseif text:sub(start, start + 1) == "</" then
      local _, last, name = text:find("^</([^%s>]+)%s*>", start)
      if not name or name ~= element.tag then damaged("elements that do not match") end
      close()
      place = last + 1
    elseif text:sub(start, start + 1) == "<!" then
      damaged("a document type, which XMP never has")
    else
      if element == root and seen then damaged("more than one document") end
      local is_empty
      seen = true
      element, is_empty, place = open(text, start, element)
      if is_empty then close() end
    end
  end
  if element ~= root or not seen then damaged("an end that is missing") end
end

-- The simple properties of the XMP in `text`: "NAMESPACE NAME" -> text. Said as attributes or as elements.
local function properties(text)
  local found = {}
  local described = RDF .. " Description"
  local resource = RDF .. " RDF"
  walk(text, function(element)
    local outer = element.outer
    if element.name == described and outer.name == resource then
      for name, value in pairs(element.values) do found[name] = found[name] or value end
    elseif outer.name == described and outer.outer.name == resource and not element.has_children then
      found[element.name] = found[element.name] or element.values[RDF .. " value"] or element.text
    end
  end)
  return found
end

local function number(text)
  return text and tonumber(text:match("^%s*([+-]?%d+%.?%d*)%s*$"))
end

local function stars(value)
  if not value then return nil end
  if value < 0 then return -1 end
  return value == 0 and 0 or math.min(5, math.max(1, math.floor(value)))
end

local function stars_of_percent(percent)
  if not percent or percent <= 0 then return percent and 0 end
  local found = 1
  for _, least in ipairs({ 13, 38, 63, 88 }) do
    if percent >= least then found = found + 1 end
  end
  return found
end

-- The rating that the properties state: -1 rejected, 0 explicitly none, 1-5, or nil where they are silent.
-- The first key that has stars decides, as in digiKam; a 0 hides none of another key.
local function stated(found, ours)
  local own = stars(number(found[XMP .. " Rating"]))
  local is_picked_off = number(found[DIGIKAM .. " PickLabel"]) == 1
  local was_taken_back = ours == -1 and own ~= nil and own >= 0
  if is_picked_off and not was_taken_back then return -1 end
  if was_taken_back then return own end
  local acdsee = stars(number(found[ACDSEE .. " rating"]))
  local microsoft = stars_of_percent(number(found[MICROSOFT .. " Rating"]))
  for _, key in ipairs({ "own", "acdsee", "microsoft" }) do
    local said = ({ own = own, acdsee = acdsee, microsoft = microsoft })[key]
    if said and said ~= 0 then return said end
  end
  return own or acdsee or microsoft
end

-- Whether darktable's history in the properties holds edits of a person, rather than what it does by itself.
local function has_edits(found)
  local current = found[DARKTABLE .. " history_current_hash"]
  return current ~= nil and current ~= found[DARKTABLE .. " history_auto_hash"]
    and current ~= found[DARKTABLE .. " history_basic_hash"]
end

-- What XMP says:
--   rating: -1 rejected, 0 explicitly none, 1-5; nil where it is silent.
--   ours: what aesth wrote: `rating`, `score` and `model`, each or all nil.
--   edited: it holds edits that a person made in darktable.
-- Or nil and why it cannot be read.
function sidecar.read(text)
  text = text:gsub("^\u{FEFF}", "")
  if text:find("%z") then return nil, "it is not in UTF-8" end
  local well, found = pcall(properties, text)
  if not well then
    if type(found) ~= "table" then error(found, 0) end
    return nil, found.damaged
  end
  local ours = {
    rating = stars(number(found[AESTH .. " Rating"])),
    score = number(found[AESTH .. " Score"]),
    model = found[AESTH .. " Model"],
  }
  return { rating = stated(found, ours.rating), ours = ours, edited = has_edits(found) }
end

-- The XMP that is embedded in a photo which begins with `head`, as text; nil if there is none that is whole.
function sidecar.embedded(head)
  local start = head:find("<x:xmpmeta", 1, true)
  local _, stop = head:find("</x:xmpmeta>", start or 1, true)
  return start and stop and head:sub(start, stop)
end

-- Whether to give a photo the rating of its sidecar: the new rating, or nil and why not:
-- "silent", "same", or "edits": the sidecar holds edits that darktable does not know and would write over.
function sidecar.decide(facts, rating, is_altered)
  if facts.rating == nil then return nil, "silent" end
  if facts.rating == rating then return nil, "same" end
  if facts.edited and not is_altered then return nil, "edits" end
  return facts.rating
end

return sidecar
